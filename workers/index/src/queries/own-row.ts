import type { Outcome } from '@epd/image-index';
import type { EmbeddingIndex } from '../table/embedding-index.ts';
import type { ImageRow } from '../table/image-row.ts';

export interface OwnRow {
  readonly table: EmbeddingIndex;
  readonly row: ImageRow;
}

/** A tenant's image in whichever table it is; null for another tenant's, and for one that was deleted. */
export async function ownRow(
  tables: readonly EmbeddingIndex[],
  { tenant, id }: { readonly tenant: string; readonly id: string },
): Promise<OwnRow | null> {
  for (const table of tables) {
    const [row] = await table.find([id]);
    if (row?.tenant === tenant && row.deletedAtMs === 0) return { table, row };
  }
  return null;
}

export const notFound = (id: string): Extract<Outcome<never>, { ok: false }> => ({
  ok: false,
  code: 'image_not_found',
  message: `No image has the id ${id}`,
});
