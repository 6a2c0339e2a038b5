import type { ModelCard } from '@epd/fleet';

/** A model's card with the geometry of models/tiny-vlm: any picture is one tile of 16 tokens. */
export const TEST_CARD: ModelCard = {
  v: 1,
  id: 'tiny-vlm',
  fingerprint: 'f'.repeat(64),
  processing: { size: 128 },
  geometry: {
    family: 'idefics3',
    longestEdge: 128,
    tileEdge: 128,
    splits: false,
    rowsPerTile: 16,
    markers: { whole: 3, tile: 0, rowEnd: 0, lastRowEnd: 0 },
  },
  contextLength: 2048,
  bytesPerTokenMax: 25,
  hiddenSize: 192,
  createdAtMs: 1_700_000_000_000,
};
