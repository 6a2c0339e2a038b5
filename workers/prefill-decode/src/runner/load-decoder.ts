import { InferenceSession } from 'onnxruntime-node';
import { prepareDecoder } from '../graph/prepare.ts';
import { proveChunks } from '../decoder/prove-chunks.ts';
import { decoderFacts, type DecoderFacts } from '../decoder/decoder-graph.ts';
import { SessionEmbedder, readTable, type TokenEmbedder } from './embed.ts';
import type { KVBackend } from '../decoder/kv-backend.ts';
import type { RunnerFacts, RunnerOptions } from './messages.ts';
import { ModelRunner } from './model-runner.ts';
import { unconstrained, type ConstraintFactory } from './token-constraint.ts';
import { ReturningBackend } from '../decoder/returning-backend.ts';
import { TwoPartBackend } from '../decoder/two-part-backend.ts';

/** Loads the graphs, and rewrites the decoder if possible. Throws when they cannot be used. */
export async function loadDecoder(
  options: RunnerOptions,
  constraints: ConstraintFactory = unconstrained,
): Promise<{ runner: ModelRunner; facts: RunnerFacts; release: () => Promise<void> }> {
  const startedAt = performance.now();
  const session = sessionOptions(options);
  const prepared = await prepareDecoder(options.decoderPath, options.cacheFolder, session);
  const decoder = await InferenceSession.create(prepared.path, session);
  const decoded = decoderFacts(decoder, prepared.groupsQueries);
  const { embedder, release } = await loadEmbedder(options.embedTokensPath, session);
  const backend = createBackend(decoder, decoded);
  const chunkDifference = await proveChunks(backend, decoded);
  const runner = new ModelRunner(decoded, backend, embedder, constraints);
  const { kind, kv, hiddenSize } = decoded;
  const loadMs = performance.now() - startedAt;
  return {
    runner,
    facts: {
      kind,
      kv,
      abilities: backend.abilities,
      hiddenSize,
      embeddingWidth: hiddenSize * (1 + (decoded.deepstack?.levels ?? 0)),
      preparation: prepared.note,
      chunkDifference,
      rewritten: prepared.rewritten,
      loadMs,
    },
    release: async () => {
      await decoder.release();
      await release();
    },
  };
}

function createBackend(session: InferenceSession, facts: DecoderFacts): KVBackend {
  return facts.kind === 'two_part'
    ? new TwoPartBackend(session, facts)
    : new ReturningBackend(session, facts);
}

function sessionOptions(options: RunnerOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [...options.executionProviders],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // ONNX Runtime's warnings concern leftovers of the export, and are not JSON lines.
    logSeverityLevel: 3,
    // A step has hundreds of products: threads that sleep between them are woken late. Between steps they
    // must not spin, for they would take cores from the encoder and the main thread.
    extra: {
      session: {
        force_spinning_stop: '1',
        intra_op: { allow_spinning: options.threadsSpin ? '1' : '0' },
      },
    },
  };
}

async function loadEmbedder(
  path: string,
  options: InferenceSession.SessionOptions,
): Promise<{ embedder: TokenEmbedder; release: () => Promise<void> }> {
  const table = await readTable(path);
  if (table) return { embedder: table, release: async () => {} };
  const session = await InferenceSession.create(path, options);
  return { embedder: new SessionEmbedder(session), release: () => session.release() };
}
