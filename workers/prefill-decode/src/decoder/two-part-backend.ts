import type { InferenceSession } from 'onnxruntime-node';
import { logitPositions, type DecoderFacts, type ForwardRun } from './decoder-graph.ts';
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
    const wanted = logitPositions(run);
    const pairs = BigInt64Array.from(wanted.flat(), BigInt);
    feeds['logit_positions'] = int64Tensor(pairs, [wanted.length, 2]);
    const outputs = await this.#session.run(feeds);
    this.store(
      run,
      (side) => dataOf(outputs, `new.${sideName(side)}`),
      () => ({ width: run.width, skip: 0 }),
    );
    return toFloat32(dataOf(outputs, 'logits'));
  }
}
