import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedProcess } from './managed-process.ts';

/** A first start reads and rewrites the model: seconds for the small one, a minute for a large one. */
const READY_WITHIN_MS = 180_000;
/** What is wrong now is wrong at the fourth attempt, too, which would only hide the reason. */
const FAILURES_MAX = 3;
const LOOK_EVERY_MS = 100;
/** A longer wait is reported: a bucket that does not exist never appears by itself. */
const TELL_AFTER_MS = 10_000;

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
    onWaiting,
    tellAfterMs = TELL_AFTER_MS,
  }: {
    readonly signal: AbortSignal;
    readonly onReady?: (name: string, ms: number) => void;
    /** What holds a process up, once for each reason that it gives. */
    readonly onWaiting?: (name: string, reason: string) => void;
    readonly tellAfterMs?: number;
  },
): Promise<void> {
  const beganMs = performance.now();
  const over = new AbortController(); // the first that fails ends the wait for the others
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.all(
      watched.map(async (each) => {
        const tell = (reason: string): void => onWaiting?.(each.process.spec.name, reason);
        await ready(each, { beganMs, signal: either, tellAfterMs, tell });
        onReady?.(each.process.spec.name, Math.round(performance.now() - beganMs));
      }),
    );
  } finally {
    over.abort();
  }
}

interface Wait {
  readonly beganMs: number;
  readonly signal: AbortSignal;
  readonly tellAfterMs: number;
  readonly tell: (reason: string) => void;
}

async function ready(
  { process, url }: Watched,
  { beganMs, signal, tellAfterMs, tell }: Wait,
): Promise<void> {
  let last = 'no answer yet';
  let told = '';
  for (;;) {
    const report = await look(url, signal);
    if (report === 'ready') return;
    signal.throwIfAborted();
    last = report;
    if (report !== told && performance.now() - beganMs > tellAfterMs) {
      tell(reasonIn(report));
      told = report;
    }
    if (process.isRefused) throw await failure(process, 'cannot start');
    if (process.failures >= FAILURES_MAX) throw await failure(process, 'does not stay up');
    if (performance.now() - beganMs > READY_WITHIN_MS) {
      throw await failure(process, `is not ready after ${READY_WITHIN_MS / 1000} s (${last})`);
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** What a report of `/readyz` gives as its reason; else the report as it is. */
function reasonIn(report: string): string {
  try {
    const { reason } = JSON.parse(report) as { readonly reason?: unknown };
    return typeof reason === 'string' ? reason : report;
  } catch {
    return report;
  }
}

async function look(url: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    return response.ok ? 'ready' : text;
  } catch {
    return 'its process does not answer yet';
  }
}

async function failure(process: ManagedProcess, what: string): Promise<NotReadyError> {
  const { name, logFile } = process.spec;
  const lines = complaintIn((await process.lastLines()).split('\n')).map((line) => `    ${line}`);
  return new NotReadyError([`${name} ${what}. The end of ${logFile}:`, ...lines].join('\n'));
}

/** What the last attempt says of itself, without its log's records and the attempts before it; else all lines. */
function complaintIn(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => line.includes(' cannot start. '));
  return last < 0 ? lines : lines.slice(last).filter((line) => !line.startsWith('{'));
}
