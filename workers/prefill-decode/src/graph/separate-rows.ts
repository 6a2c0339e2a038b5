import {
  ELEMENT,
  GraphIndex,
  MICROSOFT,
  arrayTensor,
  node,
  type GraphParts,
  type Node,
  type Tensor,
} from '@epd/graph';

/** The value of 8 bits that the runtime's operator takes for zero. */
const MIDDLE = 128;
/** Weights of an output that share a scale, and activations that are rounded together; more are faster. */
const BLOCKS = [128, 64, 32, 16];
/** Activations are rounded to 8 bits, each block of a row by itself. */
const ACCURACY_INT8 = 4;

/** A product of dynamic quantization, from the activations to the floating-point result. */
interface DynamicProduct {
  readonly input: string;
  readonly output: string;
  /** [inputs, outputs], as unsigned bytes. */
  readonly bytes: Uint8Array;
  readonly inputs: number;
  readonly outputs: number;
  /** One for all outputs, or one each. */
  readonly scales: Float32Array;
  readonly zeros: Uint8Array;
  readonly name: string;
}

/**
 * Replaces products whose activations are scaled over all rows together (`DynamicQuantizeLinear`,
 * `MatMulInteger`) by `MatMulNBits` with the same weights, which scales each row by itself: so no row
 * depends on its neighbours. Others stay as they are. The graph is to be pruned afterwards.
 */
export function separateRows(graph: GraphParts): void {
  const index = new GraphIndex(graph);
  const made = new Map<Node, Node>();
  for (const each of graph.node) {
    const found = each.opType === 'MatMulInteger' ? dynamicProduct(index, each) : null;
    if (!found) continue;
    const { product, tensors } = blockwise(found.product);
    graph.initializer.push(...tensors);
    made.set(found.last, product);
  }
  graph.node = graph.node.map((each) => made.get(each) ?? each);
}

/** The product that a `MatMulInteger` is the middle of, and its last node. Null for an unknown form. */
function dynamicProduct(
  index: GraphIndex,
  product: Node,
): { product: DynamicProduct; last: Node } | null {
  const [quantized = '', weights = '', , zero = ''] = product.input ?? [];
  const quantizer = index.producer(quantized);
  const cast = index.reader(product.output?.[0] ?? '');
  const last = index.reader(cast?.output?.[0] ?? '');
  if (quantizer?.opType !== 'DynamicQuantizeLinear') return null;
  if (cast?.opType !== 'Cast' || last?.opType !== 'Mul') return null;
  const [input = ''] = quantizer.input ?? [];
  const factor = last.input?.find((name) => name !== cast.output?.[0]) ?? '';
  const scale = scaleOf(index, factor, quantizer.output?.[1] ?? '');
  const values = weightsOf(index.constant(weights));
  const scales = scale && floatsOf(scale);
  const zeros = zero === '' ? Uint8Array.of(MIDDLE) : unsigned(index.constant(zero));
  if (!values || !scales || !zeros) return null;
  return {
    product: { ...values, input, output: last.output?.[0] ?? '', scales, zeros, name: weights },
    last,
  };
}

/** Of the two factors, activations' scale times weights' scale, the second. */
function scaleOf(index: GraphIndex, factor: string, activations: string): Tensor | undefined {
  const producer = index.producer(factor);
  if (producer?.opType !== 'Mul' || !producer.input?.includes(activations)) return undefined;
  return index.constant(producer.input.find((name) => name !== activations) ?? '');
}

type Weights = Pick<DynamicProduct, 'bytes' | 'inputs' | 'outputs'>;

function weightsOf(tensor: Tensor | undefined): Weights | null {
  const bytes = unsigned(tensor);
  const [inputs = 0, outputs = 0] = (tensor?.dims ?? []).map(Number);
  if (!bytes || bytes.length === 0 || bytes.length !== inputs * outputs) return null;
  return { bytes, inputs, outputs };
}

/** Signed bytes are moved up, and so is their zero: the difference is what counts. */
function unsigned(tensor: Tensor | undefined): Uint8Array | null {
  if (!tensor?.rawData) return null;
  if (tensor.dataType === ELEMENT.uint8) return Uint8Array.from(tensor.rawData);
  return tensor.dataType === ELEMENT.int8 ? tensor.rawData.map((byte) => byte ^ MIDDLE) : null;
}

function floatsOf({ dataType, rawData, floatData }: Tensor): Float32Array | null {
  if (dataType !== ELEMENT.float) return null;
  if (rawData?.length) return new Float32Array(Uint8Array.from(rawData).buffer);
  return floatData?.length ? Float32Array.from(floatData) : null;
}

function blockwise(of: DynamicProduct): { product: Node; tensors: Tensor[] } {
  const { inputs, outputs } = of;
  const block = BLOCKS.find((size) => inputs % size === 0) ?? 16;
  const blocks = Math.ceil(inputs / block);
  const each = <T extends Float32Array | Uint8Array>(into: T, values: T): T => {
    for (let at = 0; at < into.length; at++)
      into[at] = values[values.length === 1 ? 0 : Math.floor(at / blocks)] ?? 0;
    return into;
  };
  const names = [`${of.name}.rows`, `${of.name}.scales`, `${of.name}.zeros`] as const;
  const scales = each(new Float32Array(outputs * blocks), of.scales);
  const zeros = each(new Uint8Array(outputs * blocks), of.zeros);
  const attributes = {
    K: inputs,
    N: outputs,
    bits: 8,
    block_size: block,
    accuracy_level: ACCURACY_INT8,
  };
  return {
    product: node('MatMulNBits', [of.input, ...names], [of.output], attributes, MICROSOFT),
    tensors: [
      arrayTensor(names[0], rowsOf(of, blocks * block), [outputs, blocks, block]),
      arrayTensor(names[1], scales, [outputs, blocks]),
      arrayTensor(names[2], zeros, [outputs, blocks]),
    ],
  };
}

/** One output's weights after the other, each filled up to whole blocks. */
function rowsOf({ bytes, inputs, outputs }: DynamicProduct, length: number): Uint8Array {
  const rows = new Uint8Array(outputs * length);
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++)
      rows[output * length + input] = bytes[input * outputs + output] as number;
  }
  return rows;
}
