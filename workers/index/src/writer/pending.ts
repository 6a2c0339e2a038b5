import type { Sighting } from './sighting.ts';

/** An image that was not encoded after so long failed, or its job was cancelled. */
const GIVEN_UP_MS = 15 * 60_000;
/** An event may have been missed: after so long an image is looked up in the store, and then periodically. */
const LOOK_AFTER_MS = 5_000;
const LOOK_EVERY_MS = 30_000;
/** Beyond it the oldest are left to the scan of the store: bounds memory, about 1 kB each. */
const MOST = 20_000;

interface Waiting {
  readonly sighting: Sighting;
  /** Of the notice that named it. */
  readonly noticeId: string;
  readonly sinceMs: number;
  lookAtMs: number;
}

/**
 * Images that callers sent and that are not encoded yet. They live in memory alone: what is committed of
 * the notices stays before the oldest of them, so that another writer reads them again.
 */
export class Pending {
  /** By id of image and job, oldest first. */
  readonly #waiting = new Map<string, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Notice that is not to be committed yet; null when nothing waits. */
  get oldestNotice(): string | null {
    return this.#waiting.values().next().value?.noticeId ?? null;
  }

  add(sighting: Sighting, noticeId: string, nowMs: number): void {
    const key = keyOf(sighting);
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, { sighting, noticeId, sinceMs: nowMs, lookAtMs: nowMs + LOOK_AFTER_MS });
    while (this.#waiting.size > MOST) this.#waiting.delete(this.#waiting.keys().next().value!);
  }

  /** Those whose image is among these. They wait until `remove`. */
  of(mmHashes: ReadonlySet<string>): Sighting[] {
    const waiting = [...this.#waiting.values()].map(({ sighting }) => sighting);
    return waiting.filter(({ mmHash }) => mmHashes.has(mmHash));
  }

  /** These images are in the index: nothing of them waits any more. */
  remove(mmHashes: ReadonlySet<string>): void {
    for (const [key, { sighting }] of this.#waiting)
      if (mmHashes.has(sighting.mmHash)) this.#waiting.delete(key);
  }

  /** Images to look up now. Those that waited too long are dropped. */
  due(nowMs: number, limit: number): Sighting[] {
    const due: Sighting[] = [];
    for (const [key, entry] of this.#waiting) {
      if (nowMs - entry.sinceMs > GIVEN_UP_MS) this.#waiting.delete(key);
      else if (entry.lookAtMs <= nowMs && due.length < limit) {
        entry.lookAtMs = nowMs + LOOK_EVERY_MS;
        due.push(entry.sighting);
      }
    }
    return due;
  }

  clear(): void {
    this.#waiting.clear();
  }
}

const keyOf = ({ id, jobId }: Sighting): string => `${id} ${jobId ?? ''}`;
