import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedProcess } from './managed-process.ts';

/** A first start reads and rewrites the model: seconds for the small one, a minute for a large one. */
const READY_WITHIN_MS = 180_000;
/** A setting that is wrong stays wrong: further attempts would only hide the reason. */
const FAILURES_MAX = 3;
const LOOK_EVERY_MS = 100;

export interface Watched {
  readonly process: ManagedProcess;
  /** Answers 200 when the process is ready. */
  readonly url: string;
}

/** Part of the fleet does not come up. The message ends with what that process wrote last. */
class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
  readonly code = 'not_ready';
}

/** Resolves when every process says that it is ready. Throws NotReadyError, or the abort's reason. */
export async function untilReady(
  watched: readonly Watched[],
  {
    signal,
    onReady,
  }: { readonly signal: AbortSignal; readonly onReady?: (name: string, ms: number) => void },
): Promise<void> {
  const beganMs = performance.now();
  const over = new AbortController(); // the first that fails ends the wait for the others
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.all(
      watched.map(async (each) => {
        await ready(each, beganMs, either);
        onReady?.(each.process.spec.name, Math.round(performance.now() - beganMs));
      }),
    );
  } finally {
    over.abort();
  }
}

async function ready(
  { process, url }: Watched,
  beganMs: number,
  signal: AbortSignal,
): Promise<void> {
  let last = 'no answer yet';
  for (;;) {
    const report = await look(url, signal);
    if (report === 'ready') return;
    last = report;
    if (process.failures >= FAILURES_MAX) throw await failure(process, 'does not stay up');
    if (performance.now() - beganMs > READY_WITHIN_MS) {
      throw await failure(process, `is not ready after ${READY_WITHIN_MS / 1000} s (${last})`);
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

async function look(url: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    return response.ok ? 'ready' : text;
  } catch (error) {
    return String(error);
  }
}

async function failure(process: ManagedProcess, what: string): Promise<NotReadyError> {
  const { name, logFile } = process.spec;
  const lines = (await process.lastLines()).split('\n').map((line) => `    ${line}`);
  return new NotReadyError([`${name} ${what}. The end of ${logFile}:`, ...lines].join('\n'));
}
