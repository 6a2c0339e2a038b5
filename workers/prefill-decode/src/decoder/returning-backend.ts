import { Tensor, type InferenceSession } from 'onnxruntime-node';
import { logitPositions, type DecoderFacts, type ForwardRun } from './decoder-graph.ts';
import {
  commonFeeds,
  dataOf,
  int64Tensor,
  sideName,
  toFloat32,
  type Feeds,
} from './backend-inputs.ts';
import { SlotBackend } from './slot-backend.ts';

/**
 * Runs a graph as exported. The graph returns the whole cache, of which the backend keeps only the
 * new tokens: they follow the padded past in a concatenating graph, and a row's own tokens in a
 * grouped one. Each run copies the cache once or twice inside the runtime.
 */
export class ReturningBackend extends SlotBackend {
  readonly #session: InferenceSession;
  readonly #facts: DecoderFacts;

  constructor(session: InferenceSession, facts: DecoderFacts) {
    super(facts.kv);
    this.#session = session;
    this.#facts = facts;
  }

  async forward(run: ForwardRun): Promise<Float32Array> {
    const feeds = commonFeeds(this.#facts, this.slots, run);
    const grouped = this.#facts.kind === 'grouped';
    const mask = grouped ? groupedMask(run) : concatenatingMask(run, this.slots.length);
    feeds['attention_mask'] = int64Tensor(mask, [run.rows, mask.length / run.rows]);
    const keep = this.#addOptions(feeds, run);
    const outputs = await this.#session.run(feeds);
    const width = grouped ? this.slots.length : this.slots.length + run.width;
    this.store(
      run,
      (side) => dataOf(outputs, `present.${sideName(side)}`),
      (row) => ({ width, skip: grouped ? (run.past[row] ?? 0) : this.slots.length }),
    );
    return wantedLogits(toFloat32(dataOf(outputs, 'logits')), run, keep);
  }

  /**
   * Returns how many of each row's logits the graph outputs: only the last one where all rows end
   * together and no more is wanted.
   */
  #addOptions(feeds: Feeds, run: ForwardRun): number {
    const { options } = this.#facts;
    if (options.includes('use_cache_branch'))
      feeds['use_cache_branch'] = new Tensor('bool', Uint8Array.of(1), [1]);
    if (!options.includes('num_logits_to_keep')) return run.width;
    const onlyLast = run.logits.every((wanted, row) => wanted <= 1 && run.count[row] === run.width);
    const keep = onlyLast ? 1 : run.width;
    feeds['num_logits_to_keep'] = int64Tensor(BigInt64Array.of(keep === 1 ? 1n : 0n), []);
    return keep;
  }
}

/** [rows, length + width]: a row's own past, then nothing up to the end of the buffer, then the new. */
function concatenatingMask(run: ForwardRun, length: number): BigInt64Array {
  const columns = length + run.width;
  const mask = new BigInt64Array(run.rows * columns);
  for (let row = 0; row < run.rows; row++) {
    const start = row * columns;
    mask.fill(1n, start, start + (run.past[row] ?? 0));
    mask.fill(1n, start + length, start + columns);
  }
  return mask;
}

/** [rows, longest row]: the operator reads only each row's sum, and the width as the longest. */
function groupedMask(run: ForwardRun): BigInt64Array {
  const totals = Array.from(run.past, (past, row) => past + Math.max(run.count[row] ?? 0, 1));
  const columns = Math.max(...totals);
  const mask = new BigInt64Array(run.rows * columns);
  for (const [row, total] of totals.entries()) mask.fill(1n, row * columns, row * columns + total);
  return mask;
}

function wantedLogits(logits: Float32Array, run: ForwardRun, keep: number): Float32Array {
  const vocabulary = logits.length / (run.rows * keep);
  const positions = logitPositions(run);
  const wanted = new Float32Array(positions.length * vocabulary);
  for (const [index, [row, token]] of positions.entries()) {
    const start = (row * keep + (keep === 1 ? 0 : token)) * vocabulary;
    wanted.set(logits.subarray(start, start + vocabulary), index * vocabulary);
  }
  return wanted;
}
