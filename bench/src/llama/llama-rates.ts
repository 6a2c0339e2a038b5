import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DecoderRates } from '../decoder/decoder-rates.ts';
import type { FromLlama, LlamaOrder } from './messages.ts';

/** The better of llama.cpp's two kinds of attention at each point: its best settings. */
export async function llamaRates(order: Omit<LlamaOrder, 'flashAttention'>): Promise<DecoderRates> {
  const fused = await ratesOf({ ...order, flashAttention: true });
  const plain = await ratesOf({ ...order, flashAttention: false });
  return {
    decode: better(fused.decode, plain.decode),
    prefill: better(fused.prefill, plain.prefill),
    answer: plain.answer,
  };
}

const better = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((rate, at) => Math.max(rate, b[at] ?? 0));

/** In a process of its own, so that two engines in one process do not share memory or threads. */
async function ratesOf(order: LlamaOrder): Promise<DecoderRates> {
  const child = fork(join(import.meta.dirname, 'main.ts'));
  const exited = once(child, 'exit');
  child.send(order);
  const reply = (await Promise.race([
    once(child, 'message').then(([message]) => message as FromLlama),
    exited.then(([code]) => ({ error: `the process ended with ${String(code)}` })),
  ])) satisfies FromLlama;
  await exited;
  if ('error' in reply) throw new Error(`llama.cpp could not be measured: ${reply.error}`);
  return reply.rates;
}
