import type { DecoderFacts, ForwardRun, KVHolder } from '../decoder/decoder-graph.ts';
import { writeImages, type TokenEmbedder } from './embed.ts';
import { floatArray } from '../decoder/float-array.ts';
import type { KVMemory } from '../decoder/kv-memory.ts';
import type {
  KVOperation,
  Sampled,
  SharedEmbedding,
  Step,
  StepResult,
  StepRow,
  StepRun,
} from './messages.ts';
import { Sampler } from './sampler.ts';

/** Carries out steps: changes of the cache, runs of the decoder, sampling. Decides nothing. */
export class ModelRunner {
  readonly #facts: DecoderFacts;
  readonly #holder: KVHolder;
  readonly #embedder: TokenEmbedder;
  readonly #embeddings = new Map<string, SharedEmbedding>();
  readonly #samplers = new Map<number, Sampler>();

  constructor(facts: DecoderFacts, holder: KVHolder, embedder: TokenEmbedder) {
    this.#facts = facts;
    this.#holder = holder;
    this.#embedder = embedder;
  }

  keep(embedding: SharedEmbedding): void {
    this.#embeddings.set(embedding.mmHash, embedding);
  }

  forget(mmHash: string): void {
    this.#embeddings.delete(mmHash);
  }

  async step(step: Step): Promise<StepResult> {
    for (const open of step.open) this.#samplers.set(open.sequence, new Sampler(open));
    for (const sequence of step.close) this.#samplers.delete(sequence);
    for (const operation of step.operations) apply(this.#holder.memory, operation);
    const samples: Sampled[] = [];
    const runsMs: number[] = [];
    for (const run of step.runs) {
      const startedAt = performance.now();
      samples.push(...(await this.#run(run)));
      runsMs.push(performance.now() - startedAt);
    }
    return { samples, runsMs };
  }

  async #run(run: StepRun): Promise<Sampled[]> {
    const logits = await this.#holder.forward(await this.#forwardRun(run));
    const vocabulary = logits.length / run.rows.length;
    return run.rows.flatMap((row, index) => {
      if (!row?.sample) return [];
      const start = index * vocabulary;
      return [this.#sampler(row.sequence).next(logits.subarray(start, start + vocabulary))];
    });
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
