import test from 'ava';
import { allowedDrafts } from '../../../src/engine/drafts/allowed-drafts.ts';

test('a decoder verifies drafts when only rounding depends on what is computed together', (t) => {
  t.is(allowedDrafts(8, { chunkDifference: 1e-6 }), 8);
  t.is(allowedDrafts(8, { chunkDifference: 2e-4 }), 8);
  t.is(allowedDrafts(8, { chunkDifference: 0.03 }), 0);
  t.is(allowedDrafts(8, { chunkDifference: Number.NaN }), 0);
});
