import { GraphIndex, MICROSOFT, node, type GraphParts, type Node } from '@epd/graph';

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/**
 * Fuses `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, which exports decompose into eight nodes
 * that each read the whole tensor, into one `FastGelu`, with the preceding bias. Returns how many
 * it fused.
 */
export function fuseGelu(graph: GraphParts): number {
  let fused = 0;
  for (const tanh of graph.node.filter(({ opType }) => opType === 'Tanh')) {
    const index = new GraphIndex(graph);
    const x = input(index, tanh);
    const last = x === undefined ? undefined : output(index, tanh, x);
    if (x === undefined || last === undefined) continue;
    const gelu = node('FastGelu', withBias(index, x), last.output ?? [], {}, MICROSOFT);
    graph.node.splice(graph.node.indexOf(last), 1, gelu);
    fused += 1;
  }
  return fused;
}

/** x, if the input of the tanh is √(2/π) · (x + 0.044715 x³). */
function input(index: GraphIndex, tanh: Node): string | undefined {
  const scaled = index.producer(tanh.input?.[0] ?? '');
  const sum = scaled?.opType === 'Mul' ? index.besides(scaled, SQRT_2_OVER_PI) : undefined;
  const added = sum === undefined ? undefined : index.producer(sum);
  if (added?.opType !== 'Add') return undefined;
  const [a = '', b = ''] = added.input ?? [];
  if (isCubic(index, b, a)) return a;
  return isCubic(index, a, b) ? b : undefined;
}

function isCubic(index: GraphIndex, name: string, x: string): boolean {
  const term = index.producer(name);
  const cube = term?.opType === 'Mul' ? index.besides(term, CUBIC) : undefined;
  const power = cube === undefined ? undefined : index.producer(cube);
  if (power?.opType === 'Pow')
    return power.input?.[0] === x && index.scalar(power.input[1] ?? '') === 3;
  if (power?.opType !== 'Mul') return false;
  const other = power.input?.find((each) => each !== x);
  const square = power.input?.includes(x) && other ? index.producer(other) : undefined;
  return square?.opType === 'Mul' && (square.input ?? []).every((each) => each === x);
}

/** The node that computes the result: x, 1 + tanh and a half, multiplied in any order. */
function output(index: GraphIndex, tanh: Node, x: string): Node | undefined {
  const plusOne = index.reader(tanh.output?.[0] ?? '');
  if (plusOne?.opType !== 'Add' || index.besides(plusOne, 1) !== tanh.output?.[0]) return undefined;
  const first = index.reader(plusOne.output?.[0] ?? '');
  if (first?.opType !== 'Mul') return undefined;
  const factor = first.input?.find((name) => name !== plusOne.output?.[0]) ?? '';
  if (isHalfOf(index, factor, x)) return first;
  const second = index.reader(first.output?.[0] ?? '');
  if (second?.opType !== 'Mul') return undefined;
  if (factor === x) return index.besides(second, 0.5) === first.output?.[0] ? second : undefined;
  return index.scalar(factor) === 0.5 && second.input?.includes(x) ? second : undefined;
}

function isHalfOf(index: GraphIndex, name: string, x: string): boolean {
  const half = index.producer(name);
  return half?.opType === 'Mul' && index.besides(half, 0.5) === x;
}

/** `FastGelu` can add a one-dimensional bias. */
function withBias(index: GraphIndex, x: string): string[] {
  const add = index.producer(x);
  if (add?.opType !== 'Add') return [x];
  const bias = add.input?.find((name) => index.constant(name)?.dims?.length === 1);
  const rest = add.input?.find((name) => name !== bias);
  return bias === undefined || rest === undefined ? [x] : [rest, bias];
}
