import type { InferenceSession } from 'onnxruntime-node';
import type { DecoderFacts, ForwardRun } from './decoder-graph.ts';
import { commonFeeds, dataOf, int64Tensor, sideName, toFloat32 } from './backend-inputs.ts';
import { SlotBackend } from './slot-backend.ts';

/** Runs a rewritten graph: it reads the past in place and returns only the new slices. */
export class TwoPartBackend extends SlotBackend {
  readonly #session: InferenceSession;
  readonly #facts: DecoderFacts;

  constructor(session: InferenceSession, facts: DecoderFacts) {
    super(facts.kv);
    this.#session = session;
    this.#facts = facts;
  }

  async forward(run: ForwardRun): Promise<Float32Array> {
    const feeds = commonFeeds(this.#facts, this.slots, run);
    feeds['past_lengths'] = int64Tensor(BigInt64Array.from(run.past, BigInt), [run.rows]);
    const last = BigInt64Array.from(run.count, (count) => BigInt(Math.max(count - 1, 0)));
    feeds['last_index'] = int64Tensor(last, [run.rows]);
    const outputs = await this.#session.run(feeds);
    for (let side = 0; side < this.slots.sides; side++) {
      this.#append(side, dataOf(outputs, `new.${sideName(side)}`), run);
    }
    return toFloat32(dataOf(outputs, 'logits'));
  }

  #append(side: number, slices: ReturnType<typeof dataOf>, run: ForwardRun): void {
    for (let row = 0; row < run.rows; row++) {
      const count = run.count[row] ?? 0;
      if (count === 0) continue;
      const from = { row, width: run.width, skip: 0, count };
      this.slots.append(side, run.firstSlot + row, run.past[row] ?? 0, slices, from);
    }
  }
}
