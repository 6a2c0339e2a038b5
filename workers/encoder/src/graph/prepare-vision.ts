import {
  MICROSOFT,
  NotRewritableError,
  graphOf,
  prune,
  rewrittenGraph,
  useDomain,
  type Model,
  type RewrittenGraph,
} from '@epd/graph';
import type { VisionOptions } from '../session/vision-messages.ts';
import { fuseAttention } from './fuse-attention.ts';
import { fuseGelu } from './fuse-gelu.ts';
import { verifyFused } from './verify-fused.ts';

/** Raised with every change of what the pass makes, so that kept graphs are made anew. */
const PASS_VERSION = 1;

/**
 * The vision encoder's graph with its attention and activations fused, made and proven on first use.
 * A graph in which there is nothing to fuse, or that computes something else afterwards, is run as it is.
 */
export function prepareVision(options: VisionOptions): Promise<RewrittenGraph> {
  const { modelPath, cacheFolder } = options;
  return rewrittenGraph(modelPath, cacheFolder, {
    folder: 'vision-encoders',
    file: 'vision_encoder.onnx',
    version: PASS_VERSION,
    rewrite: fuse,
    prove: (original, fused) => verifyFused(original, fused, options),
  });
}

/** Changes the model in place. Throws `NotRewritableError` when there is nothing to fuse. */
export function fuse(model: Model): void {
  const graph = graphOf(model);
  const inputs = [...graph.input];
  if (fuseGelu(graph) + fuseAttention(graph) === 0)
    throw new NotRewritableError('there is nothing to fuse');
  prune(graph);
  // What nothing reads any more, a mask say, is still given.
  graph.input = inputs;
  // Shapes noted for inner values are of the old graph.
  graph.valueInfo = [];
  useDomain(model, MICROSOFT);
}
