import type { ImageRow } from '../table/image-row.ts';
import type { ImageTables } from '../table/image-tables.ts';
import { idBefore, type Batch, type Cursor } from './feed.ts';
import { mergeRow } from './merge-row.ts';
import { Pending } from './pending.ts';
import { sightingOfEvent, sightingsOfNotice, type Sighting } from './sighting.ts';
import type { Vectors } from './vectors.ts';

/** Waiting images that are looked up in the store with one batch: a load takes milliseconds. */
const LOOKS_A_BATCH = 64;

export interface BatchIndexerParts {
  readonly tables: Pick<ImageTables, 'find' | 'make' | 'all'>;
  readonly vectors: Vectors;
  /** Whether an embedding is in the store. */
  readonly isStored: (mmHash: string) => Promise<boolean>;
  readonly nowMs: () => number;
}

export interface Indexed {
  /** Rows that were written, and removed. */
  readonly written: number;
  readonly removed: number;
  /** What may be committed now. */
  readonly cursor: Cursor;
}

/** Turns messages into rows. Any part of it may be done twice: it ends in the same rows. */
export class BatchIndexer {
  readonly #parts: BatchIndexerParts;
  readonly #pending = new Pending();

  constructor(parts: BatchIndexerParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#pending.size;
  }

  /** Waiting images are read again from the notices, by the next elected writer. */
  forget(): void {
    this.#pending.clear();
  }

  async index(batch: Batch): Promise<Indexed> {
    const stored = this.#rememberEvents(batch);
    const sightings = this.#sightingsOf(batch, stored);
    const written = await this.write(sightings);
    const removed = await this.#removeGone(batch);
    return { written, removed, cursor: this.#cursorAfter(batch.to) };
  }

  /** Rows for sightings whose vector is to be had; the rest waits, if a notice named it. */
  async write(sightings: readonly NoticedSighting[]): Promise<number> {
    let written = 0;
    for (const [fingerprint, some] of Map.groupBy(sightings, (each) => each.sighting.fingerprint))
      written += await this.#writeModel(fingerprint, some);
    return written;
  }

  #rememberEvents({ events }: Batch): Set<string> {
    const stored = new Set<string>();
    for (const { event } of events) {
      this.#parts.vectors.remember(event);
      if (event.outcome === 'stored') stored.add(event.mmHash);
    }
    return stored;
  }

  #sightingsOf({ events, notices }: Batch, stored: ReadonlySet<string>): NoticedSighting[] {
    const waited = [
      ...this.#pending.of(stored),
      ...this.#pending.due(this.#parts.nowMs(), LOOKS_A_BATCH),
    ];
    return [
      ...events.flatMap(({ event, atMs }) => sightingOfEvent(event, atMs).map(unnoticed)),
      ...waited.map(unnoticed),
      ...notices.flatMap(({ notice, id, atMs }) =>
        sightingsOfNotice(notice, atMs).map((sighting) => ({ sighting, noticeId: id })),
      ),
    ];
  }

  async #writeModel(fingerprint: string, noticed: readonly NoticedSighting[]): Promise<number> {
    const sightings = noticed.map(({ sighting }) => sighting);
    const known = await this.#knownRows(fingerprint, sightings);
    const vectors = await this.#vectorsOf(sightings, known);
    const rows = new Map(known.map((row) => [row.id, row]));
    const changed = new Map<string, ImageRow>();
    for (const { sighting, noticeId } of noticed) {
      const vector = vectors.get(sighting.mmHash);
      if (!vector) {
        if (noticeId !== null) this.#pending.add(sighting, noticeId, this.#parts.nowMs());
        continue;
      }
      const before = rows.get(sighting.id);
      const after = mergeRow(before, sighting, vector);
      if (after === before) continue;
      rows.set(after.id, after);
      changed.set(after.id, after);
    }
    await this.#upsert(fingerprint, [...changed.values()]);
    this.#pending.remove(new Set(vectors.keys()));
    return changed.size;
  }

  async #upsert(fingerprint: string, rows: readonly ImageRow[]): Promise<void> {
    if (rows.length === 0) return;
    const table = await this.#parts.tables.make(fingerprint, rows[0]!.vector.length);
    await table.upsert(rows);
  }

  /** Rows of these images, other tenants' too: they have the vector. */
  async #knownRows(fingerprint: string, sightings: readonly Sighting[]): Promise<ImageRow[]> {
    const table = await this.#parts.tables.find(fingerprint);
    if (!table) return [];
    return table.findByHash([...new Set(sightings.map(({ mmHash }) => mmHash))]);
  }

  async #vectorsOf(
    sightings: readonly Sighting[],
    known: readonly ImageRow[],
  ): Promise<Map<string, Float32Array>> {
    const { vectors } = this.#parts;
    const live = known.filter(({ deletedAtMs }) => deletedAtMs === 0);
    const found = new Map(live.map(({ mmHash, vector }) => [mmHash, vector]));
    for (const { mmHash } of sightings) {
      const recent = vectors.recent(mmHash);
      if (recent && !found.has(mmHash)) found.set(mmHash, recent);
    }
    const missing = sightings.filter(({ mmHash }) => !found.has(mmHash));
    for (const [mmHash, vector] of await vectors.load(missing)) found.set(mmHash, vector);
    return found;
  }

  async #removeGone({ notices }: Batch): Promise<number> {
    const gone: string[] = [];
    for (const { notice } of notices) {
      // It may have been encoded again since.
      if (notice.kind === 'gone' && !(await this.#parts.isStored(notice.mmHash)))
        gone.push(notice.mmHash);
    }
    if (gone.length === 0) return 0;
    let removed = 0;
    for (const table of await this.#parts.tables.all()) {
      const rows = await table.findByHash(gone);
      await table.remove(rows.map(({ id }) => id));
      removed += rows.length;
    }
    return removed;
  }

  #cursorAfter({ completions, notices }: Cursor): Cursor {
    const oldest = this.#pending.oldestNotice;
    return { completions, notices: oldest === null ? notices : idBefore(oldest) };
  }
}

interface NoticedSighting {
  readonly sighting: Sighting;
  /** Null: it need not be waited for, for its message will not be read again. */
  readonly noticeId: string | null;
}

const unnoticed = (sighting: Sighting): NoticedSighting => ({ sighting, noticeId: null });
