import type { Logger } from '@epd/service';
import type { IndexMetrics } from '../metrics.ts';
import type { EmbeddingIndex } from '../table/embedding-index.ts';
import type { ImageTables } from '../table/image-tables.ts';
import { selfCheck } from './self-check.ts';
import type { StoreLook } from './store-look.ts';

/** Rows that are not in the search's index yet are compared one by one: so many take about 5 ms. */
const ROWS_UNMAINTAINED = 1_000;
/** Each write leaves a fragment, and a query opens every one. */
const MAINTAIN_EVERY_MS = 60_000;
const CHECK_EVERY_MS = 10 * 60_000;

export interface UpkeepParts {
  readonly tables: Pick<ImageTables, 'all'>;
  readonly look: Pick<StoreLook, 'look'>;
  readonly lookEveryMs: number;
  readonly metrics: IndexMetrics;
  readonly log: Logger;
}

/** The writer's upkeep between batches: the scan of the store, the tables' maintenance, the self-check. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #written = 0;
  #lookAtMs = 0;
  #maintainAtMs = 0;
  #checkAtMs = 0;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  noteWritten(rows: number): void {
    this.#written += rows;
  }

  /** To be done at an election: what the last writer missed is not to wait. */
  lookSoon(): void {
    this.#lookAtMs = 0;
  }

  async doWhatIsDue(nowMs = performance.now()): Promise<void> {
    if (nowMs >= this.#lookAtMs) {
      await this.#look();
      this.#lookAtMs = performance.now() + this.#parts.lookEveryMs;
    }
    const due = this.#written > 0 && nowMs >= this.#maintainAtMs;
    if (due || this.#written >= ROWS_UNMAINTAINED) {
      await this.#maintain();
      this.#maintainAtMs = performance.now() + MAINTAIN_EVERY_MS;
      this.#written = 0;
    }
    if (nowMs >= this.#checkAtMs) {
      await this.#check();
      this.#checkAtMs = performance.now() + CHECK_EVERY_MS;
    }
  }

  async #look(): Promise<void> {
    const { look, metrics, log } = this.#parts;
    const found = await look.look();
    this.noteWritten(found.added);
    metrics.changed(found.added, found.removed);
    if (found.added + found.removed > 0) log.info(found, 'index synchronized with the store');
  }

  async #maintain(): Promise<void> {
    const tables = await this.#parts.tables.all();
    let rows = 0;
    for (const table of tables) {
      await table.maintain();
      rows += await table.count();
    }
    this.#parts.metrics.state({ rows });
  }

  async #check(): Promise<void> {
    const recalls: number[] = [];
    for (const table of await this.#parts.tables.all()) {
      const recall = await selfCheck(table, await sampleOf(table));
      if (recall !== null) recalls.push(recall);
    }
    if (recalls.length > 0) this.#parts.metrics.recall(Math.min(...recalls));
  }
}

const SAMPLED_KEYS = 20;

/** Some rows that are there, whichever the table hands out first. */
async function sampleOf(table: EmbeddingIndex) {
  const ids: string[] = [];
  for await (const { id, deletedAtMs } of table.keys()) {
    if (deletedAtMs === 0) ids.push(id);
    if (ids.length >= SAMPLED_KEYS) break;
  }
  return table.find(ids);
}
