import { ELEMENT, arrayTensor, type GraphParts } from '../onnx.ts';

/** All weights, inputs and outputs in half precision. */
export function halve(graph: GraphParts): void {
  graph.initializer = graph.initializer.map((tensor) => {
    if (tensor.dataType !== ELEMENT.float) return tensor;
    const bytes = Uint8Array.from(tensor.rawData ?? []);
    const halves = Float16Array.from(new Float32Array(bytes.buffer));
    return arrayTensor(tensor.name ?? '', halves, (tensor.dims ?? []).map(Number));
  });
  for (const { type } of [...graph.input, ...graph.output]) {
    if (type?.tensorType?.elemType === ELEMENT.float) type.tensorType.elemType = ELEMENT.float16;
  }
}
