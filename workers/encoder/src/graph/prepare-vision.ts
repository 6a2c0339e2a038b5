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

/** Incremented with every change of the pass's output, so that cached graphs are rebuilt. */
const PASS_VERSION = 1;

/**
 * The vision encoder's graph with its attention and activations fused, made and verified on first
 * use. A graph with nothing to fuse, or that computes something else afterwards, runs as exported.
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
  if (fuseGelu(graph) + fuseAttention(graph) === 0) throw new NotRewritableError('nothing to fuse');
  prune(graph);
  // Inputs that nothing reads any more, such as a mask, must remain inputs.
  graph.input = inputs;
  // Recorded shapes of inner values belong to the old graph.
  graph.valueInfo = [];
  useDomain(model, MICROSOFT);
}
