import { MICROSOFT, arrayTensor, node, type GraphParts } from '../onnx.ts';
import { fourBits } from './four-bits.ts';
import { replaceProducts, type Product, type Replacement } from './products.ts';

/** Weights along an output's inputs that share a scale, as exports and llama.cpp have it. */
const BLOCK = 32;
/** Activations are rounded to 8 bits, block by block. */
const ACCURACY_INT8 = 4;

/** Products with four-bit weights around 8, in the runtime's own operator. */
export function quantizeToFour(graph: GraphParts): void {
  replaceProducts(graph, fourBitProduct);
}

function fourBitProduct({ node: of, weights, inputs, outputs, values }: Product): Replacement {
  const blocks = inputs / BLOCK;
  const packed = new Uint8Array((outputs * inputs) / 2);
  const scales = new Float32Array(outputs * blocks);
  for (let output = 0; output < outputs; output++) {
    for (let block = 0; block < blocks; block++) {
      const at = output * blocks + block;
      const column = columnOf(values, outputs, output, block);
      scales[at] = writeFour(column, packed.subarray((at * BLOCK) / 2, ((at + 1) * BLOCK) / 2));
    }
  }
  const names = [`${weights}.q4`, `${weights}.scales`] as const;
  const attributes = {
    K: inputs,
    N: outputs,
    bits: 4,
    block_size: BLOCK,
    accuracy_level: ACCURACY_INT8,
  };
  return {
    nodes: [
      node('MatMulNBits', [of.input?.[0] ?? '', ...names], of.output ?? [], attributes, MICROSOFT),
    ],
    tensors: [
      arrayTensor(names[0], packed, [outputs, blocks, BLOCK / 2]),
      arrayTensor(names[1], scales, [outputs, blocks]),
    ],
  };
}

function columnOf(
  values: Float32Array,
  outputs: number,
  output: number,
  block: number,
): Float32Array {
  return Float32Array.from(
    { length: BLOCK },
    (_, at) => values[(block * BLOCK + at) * outputs + output] as number,
  );
}

/** Neighbours share a byte, the first in its low bits. */
function writeFour(column: Float32Array, into: Uint8Array): number {
  const { scale, levels } = fourBits(column);
  for (let at = 0; at < into.length; at++)
    into[at] = (levels[2 * at] as number) | ((levels[2 * at + 1] as number) << 4);
  return scale;
}
