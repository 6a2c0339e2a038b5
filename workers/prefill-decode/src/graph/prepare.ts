import { graphOf, rewrittenGraph } from '@epd/graph';
import type { InferenceSession } from 'onnxruntime-node';
import { PASS_VERSION, isGroupQueryAttention, rewrite } from './rewrite.ts';
import { verifyRewritten } from './verify.ts';

/** The graph to run, and a line for the log that says how it was come by. */
export interface PreparedDecoder {
  readonly path: string;
  readonly groupsQueries: boolean;
  /** Otherwise it is run as exported. */
  readonly rewritten: boolean;
  readonly note: string;
}

/**
 * The rewritten form of a decoder, made and proven on first use. What cannot be rewritten, or does not
 * compute the same, is run as it is.
 */
export async function prepareDecoder(
  source: string,
  cacheFolder: string,
  options: InferenceSession.SessionOptions,
): Promise<PreparedDecoder> {
  let groupsQueries = false;
  const { path, rewritten, note } = await rewrittenGraph(source, cacheFolder, {
    folder: 'decoders',
    file: 'decoder.onnx',
    version: PASS_VERSION,
    rewrite: (model) => {
      groupsQueries = graphOf(model).node.some(isGroupQueryAttention);
      rewrite(model);
    },
    prove: (original, draft) => verifyRewritten(original, draft, options),
  });
  return { path, groupsQueries: groupsQueries && !rewritten, rewritten, note };
}
