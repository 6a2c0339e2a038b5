import { ELEMENT, arrayTensor, node, type GraphParts, type Node } from '../onnx.ts';
import { replaceProducts, type Product, type Replacement } from './products.ts';

/**
 * Products as ONNX Runtime's dynamic quantization writes them: weights in 8 bits with one scale each,
 * activations scaled in the graph, once for all that read them.
 */
export function quantizeToEight(graph: GraphParts): void {
  const quantized = new Set<string>();
  replaceProducts(graph, (product) => eightBits(product, quantized));
}

function eightBits(product: Product, quantized: Set<string>): Replacement {
  const { node: of, weights, inputs, outputs, values } = product;
  const [x = ''] = of.input ?? [];
  const out = of.output?.[0] ?? '';
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
  const rounded = Int8Array.from(values, (value) => Math.round(value / scale));
  const names = { q: `${weights}_quantized`, scale: `${weights}_scale`, zero: `${weights}_zero` };
  const first = quantized.has(x) ? [] : [scaled(x)];
  quantized.add(x);
  return {
    nodes: [
      ...first,
      node('MatMulInteger', [`${x}_q`, names.q, `${x}_zero`, names.zero], [`${out}_integer`]),
      node('Cast', [`${out}_integer`], [`${out}_cast`], { to: ELEMENT.float }),
      node('Mul', [`${x}_scale`, names.scale], [`${out}_scales`]),
      node('Mul', [`${out}_cast`, `${out}_scales`], [out]),
    ],
    tensors: [
      arrayTensor(names.q, rounded, [inputs, outputs]),
      arrayTensor(names.scale, Float32Array.of(scale), []),
      arrayTensor(names.zero, Int8Array.of(0), []),
    ],
  };
}

const scaled = (x: string): Node =>
  node('DynamicQuantizeLinear', [x], [`${x}_q`, `${x}_scale`, `${x}_zero`]);
