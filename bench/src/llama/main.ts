import type { DecoderRates } from '../decoder/decoder-rates.ts';
import { promptOf } from '../decoder/prompt.ts';
import { rateBetween } from '../decoder/rate-between.ts';
import type { Library, Sequence } from './library.ts';
import type { FromLlama, LlamaOrder } from './messages.ts';

/** Tokens that one run takes: a prompt of the longest kind at once. */
const BATCH_TOKENS = 2048;
const WARM_UP_TOKENS = 4;

process.once('message', (order: LlamaOrder) => void answer(order));

async function answer(order: LlamaOrder): Promise<void> {
  const reply: FromLlama = await measured(order).then(
    (rates) => ({ rates }),
    (error: unknown) => ({ error: String(error) }),
  );
  process.send?.(reply, () => process.exit());
}

async function measured(order: LlamaOrder): Promise<DecoderRates> {
  const sequences = await open(order);
  const [first] = sequences;
  if (!first) throw new RangeError('No batch was asked for');
  const prefill: number[] = [];
  for (const length of order.prompts) prefill.push(await prefillRate(first, length));
  for (const [index, sequence] of sequences.entries())
    await sequence.evaluateWithoutGeneratingNewTokens(promptOf(order.context, index).slice(0, -1));
  const decode: number[] = [];
  let tokens: number[] = [];
  for (const batch of order.batches) {
    const running = sequences.slice(0, batch);
    await Promise.all(running.map((each, i) => decodeFrom(each, order.context, i, WARM_UP_TOKENS)));
    const answers = await Promise.all(
      running.map((each, i) => decodeFrom(each, order.context, i, order.tokens)),
    );
    tokens = answers[0]?.tokens ?? [];
    decode.push(rateBetween(answers.map(({ times }) => times)));
  }
  return { decode, prefill, answer: tokens };
}

async function open(order: LlamaOrder): Promise<Sequence[]> {
  const library = (await import(order.entry)) as Library;
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    logLevel: 'error',
    maxThreads: 0,
  });
  const model = await llama.loadModel({ modelPath: order.modelPath });
  const sequences = Math.max(...order.batches);
  const context = await model.createContext({
    contextSize: Math.max(order.context + order.tokens, ...order.prompts),
    sequences,
    batchSize: BATCH_TOKENS,
    threads: order.threads,
    flashAttention: order.flashAttention,
  });
  return Array.from({ length: sequences }, () => context.getSequence());
}

async function prefillRate(sequence: Sequence, length: number): Promise<number> {
  // The first one pays for allocations.
  await prefillMs(sequence, length, 0);
  const ms = await prefillMs(sequence, length, 1);
  return (1000 * length) / ms;
}

async function prefillMs(sequence: Sequence, length: number, index: number): Promise<number> {
  const startedAt = performance.now();
  await sequence.evaluateWithoutGeneratingNewTokens(promptOf(length, index));
  const ms = performance.now() - startedAt;
  await forget(sequence, 0);
  return ms;
}

/** Generates after the sequence's prompt, of which all but the last token is held, and forgets it again. */
async function decodeFrom(
  sequence: Sequence,
  context: number,
  index: number,
  count: number,
): Promise<{ times: number[]; tokens: number[] }> {
  const last = promptOf(context, index).slice(-1);
  const times: number[] = [];
  const tokens: number[] = [];
  for await (const token of sequence.evaluate(last, { temperature: 0, yieldEogToken: true })) {
    times.push(performance.now());
    tokens.push(token);
    if (times.length === count) break;
  }
  await forget(sequence, context - 1);
  return { times, tokens };
}

const forget = (sequence: Sequence, from: number): Promise<void> =>
  sequence.eraseContextTokenRanges([{ start: from, end: sequence.nextTokenIndex }]);
