import test from 'ava';
import {
  ELEMENT,
  MICROSOFT,
  arrayTensor,
  encodeModel,
  node,
  prune,
  valueInfo,
  type GraphParts,
  type Model,
} from '@epd/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { separateRows } from '../../src/graph/separate-rows.ts';

const INPUTS = 48;
const OUTPUTS = 3;
const WEIGHTS = Array.from({ length: INPUTS * OUTPUTS }, (_, at) => ((at * 37) % 255) - 127);
/** Whole numbers from 0 to 255, which quantization leaves as they are. */
const ROW = Float32Array.from({ length: INPUTS }, (_, at) => (at === 0 ? 255 : (at * 11) % 250));

const perOutput = (count: number): number[] => (count === 1 ? [] : [count]);

/** A product as dynamic quantization writes it. */
function dynamicProduct(
  weights: Uint8Array | Int8Array,
  zeros: Uint8Array | Int8Array | null,
  scales: readonly number[],
): GraphParts {
  return {
    node: [
      node('DynamicQuantizeLinear', ['x'], ['q', 'scale', 'zero']),
      node('MatMulInteger', ['q', 'w', 'zero', ...(zeros ? ['w.zero'] : [])], ['sum']),
      node('Cast', ['sum'], ['sum.float'], { to: ELEMENT.float }),
      node('Mul', ['scale', 'w.scale'], ['scales']),
      node('Mul', ['sum.float', 'scales'], ['y']),
    ],
    initializer: [
      arrayTensor('w', weights, [INPUTS, OUTPUTS]),
      arrayTensor('w.scale', Float32Array.from(scales), perOutput(scales.length)),
      ...(zeros ? [arrayTensor('w.zero', zeros, perOutput(zeros.length))] : []),
    ],
    input: [valueInfo('x', ELEMENT.float, ['rows', INPUTS])],
    output: [valueInfo('y', ELEMENT.float, ['rows', OUTPUTS])],
    valueInfo: [],
  };
}

async function run(graph: GraphParts, x: Float32Array): Promise<number[]> {
  const opsetImport = [
    { domain: '', version: 17 },
    { domain: MICROSOFT, version: 1 },
  ];
  const bytes = encodeModel({ irVersion: 8, opsetImport, graph } as unknown as Model);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new Tensor('float32', x, [x.length / INPUTS, INPUTS]) });
  await session.release();
  return Array.from((y?.data ?? []) as Float32Array);
}

const signed = Int8Array.from(WEIGHTS);
const unsigned = Uint8Array.from(WEIGHTS, (weight) => weight + 127);
const FORMS: Readonly<Record<string, () => GraphParts>> = {
  'signed weights without a zero': () => dynamicProduct(signed, null, [0.5]),
  'signed weights with a zero for all': () => dynamicProduct(signed, Int8Array.of(-3), [0.5]),
  'unsigned weights, a zero and a scale for each output': () =>
    dynamicProduct(unsigned, Uint8Array.of(120, 127, 140), [0.5, 2, 1]),
};

for (const [form, make] of Object.entries(FORMS)) {
  test(`the product stays the same, and large neighbours do not change a row: ${form}`, async (t) => {
    const expected = await run(make(), ROW);
    const graph = make();
    separateRows(graph);
    prune(graph);
    t.deepEqual(
      graph.node.map(({ opType }) => opType),
      ['MatMulNBits'],
    );
    const alone = await run(graph, ROW);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [at, value] of alone.entries())
      t.true(Math.abs(value - (expected[at] ?? NaN)) < 0.01 * largest, `${value}, ${expected[at]}`);
    const large = ROW.map((value) => 1000 * value);
    t.deepEqual((await run(graph, Float32Array.of(...ROW, ...large))).slice(0, OUTPUTS), alone);
  });
}

test('a product that is used before it is scaled is left alone', (t) => {
  const graph = dynamicProduct(signed, null, [0.5]);
  graph.output.push(valueInfo('sum', 6, ['rows', OUTPUTS]));
  graph.node.push(node('Identity', ['sum'], ['again']));
  separateRows(graph);
  t.is(graph.node.filter(({ opType }) => opType === 'MatMulInteger').length, 1);
});
