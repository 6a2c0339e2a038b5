import type { DecoderFacts, ForwardRun } from '../decoder/decoder-graph.ts';
import { writeImages, type TokenEmbedder } from './embed.ts';
import { floatArray, type FloatArray } from '../decoder/float-array.ts';
import type { KVBackend } from '../decoder/kv-backend.ts';
import type {
  KVOperation,
  Sampled,
  SamplingFailure,
  SharedEmbedding,
  Step,
  StepResult,
  StepRow,
  StepRun,
} from './messages.ts';
import { Sampler } from './sampler.ts';
import { notFinite, SamplingError } from './sampling-error.ts';
import { unconstrained, type ConstraintFactory } from './token-constraint.ts';

interface Outcome {
  readonly samples: Sampled[];
  readonly failures: SamplingFailure[];
}

/**
 * A change of the KV cache failed. The engine assumes that this change and later ones succeeded: a
 * block that it restores later could hold another prompt.
 */
export class CacheError extends Error {
  override readonly name = 'CacheError';
}

/** Carries out steps: changes of the cache, runs of the decoder, sampling. Decides nothing. */
export class ModelRunner {
  readonly #facts: DecoderFacts;
  readonly #backend: KVBackend;
  readonly #embedder: TokenEmbedder;
  readonly #embeddings = new Map<string, SharedEmbedding>();
  readonly #constraints: ConstraintFactory;
  readonly #samplers = new Map<number, Sampler>();

  constructor(
    facts: DecoderFacts,
    backend: KVBackend,
    embedder: TokenEmbedder,
    constraints: ConstraintFactory = unconstrained,
  ) {
    this.#facts = facts;
    this.#backend = backend;
    this.#embedder = embedder;
    this.#constraints = constraints;
  }

  keep(embedding: SharedEmbedding): void {
    this.#embeddings.set(embedding.mmHash, embedding);
  }

  forget(mmHash: string): void {
    this.#embeddings.delete(mmHash);
  }

  async step(step: Step): Promise<StepResult> {
    // First, for the engine takes them as made, whatever comes of the rest of the step.
    for (const operation of step.operations) await this.#change(operation);
    for (const open of step.open)
      this.#samplers.set(open.sequence, new Sampler(open, this.#constraints));
    for (const sequence of step.close) this.#close(sequence);
    const outcome: Outcome = { samples: [], failures: [] };
    const runsMs: number[] = [];
    for (const run of step.runs) {
      const startedAt = performance.now();
      await this.#run(run, outcome);
      runsMs.push(performance.now() - startedAt);
    }
    return { ...outcome, runsMs };
  }

  async #change(operation: KVOperation): Promise<void> {
    try {
      await apply(this.#backend, operation);
    } catch (cause) {
      throw new CacheError(`${operation.op} failed: ${String(cause)}`, { cause });
    }
  }

  #close(sequence: number): void {
    this.#samplers.get(sequence)?.close();
    this.#samplers.delete(sequence);
  }

  async #run(run: StepRun, outcome: Outcome): Promise<void> {
    const forward = await this.#forwardRun(run);
    const logits = await this.#backend.forward(forward);
    const vocabulary = logits.length / forward.logits.reduce((sum, wanted) => sum + wanted, 0);
    let start = 0;
    for (const [index, row] of run.rows.entries()) {
      const end = start + (forward.logits[index] ?? 0) * vocabulary;
      const isOverflown = this.#backend.overflown.has(index);
      if (row) this.#sampleRow(row, logits.subarray(start, end), isOverflown, outcome);
      start = end;
    }
  }

  /** `logits` are those after the row's last token and after each of its drafts. */
  #sampleRow(row: StepRow, logits: Float32Array, isOverflown: boolean, outcome: Outcome): void {
    const { sequence, drafts } = row;
    if (isOverflown) {
      // A token that will not be kept may be the only one that overflows.
      if (drafts.length > 0) return;
      this.#sampler(sequence).fail(notFinite());
    } else if (!row.sample) return;
    const vocabulary = logits.length / (1 + drafts.length);
    for (let at = 0; at <= drafts.length; at++) {
      const own = logits.subarray(at * vocabulary, (at + 1) * vocabulary);
      const sampled = this.#sample(sequence, own, outcome);
      if (sampled === null || sampled.done === true || sampled.id !== drafts[at]) return;
    }
  }

  /** Null when nothing can be sampled for the sequence any more. */
  #sample(sequence: number, logits: Float32Array, outcome: Outcome): Sampled | null {
    try {
      const sampled = this.#sampler(sequence).next(logits);
      outcome.samples.push(sampled);
      return sampled;
    } catch (error) {
      if (!(error instanceof SamplingError)) throw error;
      outcome.failures.push({ sequence, code: error.code, message: error.message });
      return null;
    }
  }

  async #forwardRun(run: StepRun): Promise<ForwardRun> {
    const { hiddenSize, embedsType, deepstack } = this.#facts;
    const rows = run.rows.length;
    const tokens = run.rows.map((row) => (row ? this.#tokensOf(row) : []));
    const count = Int32Array.from(tokens, ({ length }) => length);
    const width = Math.max(...count);
    const embeds = floatArray(embedsType, rows * width * hiddenSize);
    const layers = deepstack && floatArray(deepstack.type, deepstack.levels * embeds.length);
    for (const [index, row] of run.rows.entries()) {
      if (!row) continue;
      const offset = index * width * hiddenSize;
      await this.#embedder.write(tokens[index] ?? [], embeds, offset);
      writeImages(row, this.#embeddings, { width: hiddenSize, into: embeds, offset });
      if (layers) this.#writeLevels(row, layers, { offset, levels: deepstack.levels });
    }
    const past = Int32Array.from(run.rows, (row) => row?.past ?? 0);
    const positions = run.rows.map((row) => row?.positions ?? null);
    const firstSlot = run.slot;
    const logits = Int32Array.from(run.rows, (row) => (row ? 1 + row.drafts.length : 0));
    return { firstSlot, rows, width, embeds, deepstack: layers, positions, past, count, logits };
  }

  /** An image row holds the hidden state, then the deepstack features for the first layers. */
  #writeLevels(
    row: StepRow,
    into: FloatArray,
    { offset, levels }: { readonly offset: number; readonly levels: number },
  ): void {
    const { hiddenSize: width } = this.#facts;
    const size = into.length / levels;
    for (let level = 0; level < levels; level++) {
      const target = { into, width, offset: level * size + offset, from: (1 + level) * width };
      writeImages(row, this.#embeddings, target);
    }
  }

  #tokensOf({ sequence, tokens, drafts }: StepRow): readonly number[] {
    const known = tokens === 'sampled' ? [this.#sampler(sequence).last] : tokens;
    return drafts.length === 0 ? known : [...known, ...drafts];
  }

  #sampler(sequence: number): Sampler {
    const sampler = this.#samplers.get(sequence);
    if (!sampler) throw new RangeError(`Sequence ${sequence} was not opened`);
    return sampler;
  }
}

async function apply(backend: KVBackend, operation: KVOperation): Promise<void> {
  switch (operation.op) {
    case 'layout':
      return await backend.layout(operation.slots, operation.length, operation.lengths);
    case 'swap':
      return await backend.swap(operation.a, operation.lengthA, operation.b, operation.lengthB);
    case 'save':
      return await backend.save(operation.slot, operation.from, operation.blocks);
    case 'restore':
      return await backend.restore(operation.slot, operation.blocks, operation.tokens);
    case 'drop':
      return await backend.drop(operation.blocks);
  }
}
