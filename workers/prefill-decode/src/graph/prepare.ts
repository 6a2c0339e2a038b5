import { graphOf, rewrittenGraph } from '@epd/graph';
import type { InferenceSession } from 'onnxruntime-node';
import { roundsActivations, withFullPrecision } from './full-precision.ts';
import { PASS_VERSION, isGroupQueryAttention, rewrite } from './rewrite.ts';
import { verifyRewritten } from './verify.ts';

/** The graph to run, and a log line that says how it was prepared. */
export interface PreparedDecoder {
  readonly path: string;
  readonly groupsQueries: boolean;
  /** Otherwise it is run as exported. */
  readonly rewritten: boolean;
  readonly note: string;
}

/**
 * The rewritten form of a decoder, made and verified on first use. A graph that cannot be
 * rewritten, or computes something else then, runs as exported.
 */
export async function prepareDecoder(
  source: string,
  cacheFolder: string,
  options: InferenceSession.SessionOptions,
): Promise<PreparedDecoder> {
  let groupsQueries = false;
  let rounds = false;
  const { path, rewritten, note } = await rewrittenGraph(source, cacheFolder, {
    folder: 'decoders',
    file: 'decoder.onnx',
    version: PASS_VERSION,
    rewrite: (model) => {
      groupsQueries = graphOf(model).node.some(isGroupQueryAttention);
      rounds = roundsActivations(graphOf(model));
      rewrite(model);
    },
    prove: (original, draft) =>
      rounds
        ? withFullPrecision(original, draft, (a, b) => verifyRewritten(a, b, options))
        : verifyRewritten(original, draft, options),
  });
  return { path, groupsQueries: groupsQueries && !rewritten, rewritten, note };
}
