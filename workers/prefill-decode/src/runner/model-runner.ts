import type { DecoderFacts, ForwardRun, KVHolder } from '../decoder/decoder-graph.ts';
import { writeImages, type TokenEmbedder } from './embed.ts';
import { floatArray } from '../decoder/float-array.ts';
import type { KVMemory } from '../decoder/kv-memory.ts';
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
import { ConstraintError, unconstrained, type ConstraintFactory } from './token-constraint.ts';

interface Outcome {
  readonly samples: Sampled[];
  readonly failures: SamplingFailure[];
}

/** Carries out steps: changes of the cache, runs of the decoder, sampling. Decides nothing. */
export class ModelRunner {
  readonly #facts: DecoderFacts;
  readonly #holder: KVHolder;
  readonly #embedder: TokenEmbedder;
  readonly #embeddings = new Map<string, SharedEmbedding>();
  readonly #constraints: ConstraintFactory;
  readonly #samplers = new Map<number, Sampler>();

  constructor(
    facts: DecoderFacts,
    holder: KVHolder,
    embedder: TokenEmbedder,
    constraints: ConstraintFactory = unconstrained,
  ) {
    this.#facts = facts;
    this.#holder = holder;
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
    for (const open of step.open)
      this.#samplers.set(open.sequence, new Sampler(open, this.#constraints));
    for (const sequence of step.close) this.#close(sequence);
    for (const operation of step.operations) apply(this.#holder.memory, operation);
    const outcome: Outcome = { samples: [], failures: [] };
    const runsMs: number[] = [];
    for (const run of step.runs) {
      const startedAt = performance.now();
      await this.#run(run, outcome);
      runsMs.push(performance.now() - startedAt);
    }
    return { ...outcome, runsMs };
  }

  #close(sequence: number): void {
    this.#samplers.get(sequence)?.close();
    this.#samplers.delete(sequence);
  }

  async #run(run: StepRun, outcome: Outcome): Promise<void> {
    const logits = await this.#holder.forward(await this.#forwardRun(run));
    const vocabulary = logits.length / run.rows.length;
    for (const [index, row] of run.rows.entries()) {
      if (!row?.sample) continue;
      const start = index * vocabulary;
      this.#sample(row.sequence, logits.subarray(start, start + vocabulary), outcome);
    }
  }

  #sample(sequence: number, logits: Float32Array, outcome: Outcome): void {
    try {
      outcome.samples.push(this.#sampler(sequence).next(logits));
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      outcome.failures.push({ sequence, code: error.code, message: error.message });
    }
  }

  async #forwardRun(run: StepRun): Promise<ForwardRun> {
    const { hiddenSize, embedsType } = this.#facts;
    const rows = run.rows.length;
    const tokens = run.rows.map((row) => (row ? this.#tokensOf(row) : []));
    const count = Int32Array.from(tokens, ({ length }) => length);
    const width = Math.max(...count);
    const embeds = floatArray(embedsType, rows * width * hiddenSize);
    for (const [index, row] of run.rows.entries()) {
      if (!row) continue;
      const offset = index * width * hiddenSize;
      await this.#embedder.write(tokens[index] ?? [], embeds, offset);
      writeImages(row, this.#embeddings, embeds, offset);
    }
    const past = Int32Array.from(run.rows, (row) => row?.past ?? 0);
    return { firstSlot: run.slot, rows, width, embeds, past, count };
  }

  #tokensOf({ sequence, tokens }: StepRow): readonly number[] {
    return tokens === 'sampled' ? [this.#sampler(sequence).last] : tokens;
  }

  #sampler(sequence: number): Sampler {
    const sampler = this.#samplers.get(sequence);
    if (!sampler) throw new RangeError(`Sequence ${sequence} was not opened`);
    return sampler;
  }
}

function apply(memory: KVMemory, operation: KVOperation): void {
  switch (operation.op) {
    case 'layout':
      return memory.layout(operation.slots, operation.length, operation.lengths);
    case 'swap':
      return memory.swap(operation.a, operation.lengthA, operation.b, operation.lengthB);
    case 'save':
      return memory.save(operation.slot, operation.from, operation.blocks);
    case 'restore':
      return memory.restore(operation.slot, operation.blocks, operation.tokens);
    case 'drop':
      return memory.drop(operation.blocks);
  }
}
