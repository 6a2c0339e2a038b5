import type { InferenceSession } from 'onnxruntime-node';
import type { DecoderFacts, ForwardRun, KVHolder } from './decoder-graph.ts';
import { commonFeeds, dataOf, int64Tensor, sideName, toFloat32 } from './holder-inputs.ts';
import { KVSlots } from './kv-slots.ts';

/** Runs a graph of the rewriting pass: the past goes in where it lies, only new slices come out. */
export class TwoPartHolder implements KVHolder {
  readonly memory: KVSlots;
  readonly wideBatches = true;
  readonly #session: InferenceSession;
  readonly #facts: DecoderFacts;

  constructor(session: InferenceSession, facts: DecoderFacts) {
    this.#session = session;
    this.#facts = facts;
    this.memory = new KVSlots(facts.kv);
  }

  async forward(run: ForwardRun): Promise<Float32Array> {
    const feeds = commonFeeds(this.#facts, this.memory, run);
    feeds['past_lengths'] = int64Tensor(BigInt64Array.from(run.past, BigInt), [run.rows]);
    const last = BigInt64Array.from(run.count, (count) => BigInt(Math.max(count - 1, 0)));
    feeds['last_index'] = int64Tensor(last, [run.rows]);
    const outputs = await this.#session.run(feeds);
    for (let side = 0; side < this.memory.sides; side++) {
      this.#append(side, dataOf(outputs, `new.${sideName(side)}`), run);
    }
    return toFloat32(dataOf(outputs, 'logits'));
  }

  #append(side: number, slices: ReturnType<typeof dataOf>, run: ForwardRun): void {
    for (let row = 0; row < run.rows; row++) {
      const count = run.count[row] ?? 0;
      if (count === 0) continue;
      const from = { row, width: run.width, skip: 0, count };
      this.memory.append(side, run.firstSlot + row, run.past[row] ?? 0, slices, from);
    }
  }
}
