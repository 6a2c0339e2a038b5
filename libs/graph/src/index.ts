export { NotRewritableError } from './errors.ts';
export { GraphIndex } from './graph-index.ts';
export {
  ELEMENT,
  MICROSOFT,
  arrayTensor,
  elementType,
  encodeModel,
  fixedSize,
  floatAttribute,
  floatScalar,
  graphOf,
  int64Tensor,
  intAttribute,
  intsAttribute,
  node,
  rank,
  readModel,
  useDomain,
  valueInfo,
  type GraphParts,
  type Model,
  type Node,
  type Tensor,
} from './onnx.ts';
export { producersOf, prune } from './prune.ts';
export { relativeDifference } from './relative-difference.ts';
export { rewrittenGraph, type RewrittenGraph } from './rewritten-graph.ts';
export { protoFieldAt } from './proto-field.ts';
export { GRAPH_FIELD, readInputs } from './read-inputs.ts';
