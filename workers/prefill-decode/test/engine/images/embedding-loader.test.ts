import { EncoderCacheManager, lastUses, type Embedding } from '@epd/connector';
import test from 'ava';
import { EmbeddingLoader } from '../../../src/engine/images/embedding-loader.ts';
import { LocalConnector } from '../../../src/engine/images/local-connector.ts';
import { Sequence } from '../../../src/engine/sequences/sequence.ts';
import { sampling } from '../../helpers/engine.ts';
import { feature } from '../../helpers/golden.ts';

const ROWS = 4;
const WIDTH = 2;
const BYTES = ROWS * WIDTH * 4;

/** A prompt that shows these images in this order, each behind six tokens of text. */
function promptOf(key: number, ...names: readonly string[]) {
  const features = names.map((name, at) => feature(name, 6 + at * 10, ROWS, ROWS));
  const images = features.map(({ mmHash, offset, rows }, index) => ({
    index,
    mmHash,
    rows,
    positions: Array.from({ length: rows }, (_, row) => offset + row),
  }));
  const sequence = new Sequence({
    key,
    requestId: `r${key}`,
    choice: 0,
    priority: 0,
    scope: '',
    sampling: sampling(),
    prompt: Array.from({ length: names.length * 10 + 6 }, () => 1),
    images,
    gridPositions: null,
    lastUses: lastUses(features),
    resume: [],
    endIds: [],
    leader: null,
  });
  return { sequence, ec: { id: sequence.requestId, features } };
}

function setUp(room: number) {
  const data = (): Uint8Array => new Uint8Array(new SharedArrayBuffer(BYTES));
  const embeddings = ['a', 'b', 'c'].map((name): [string, Embedding] => [
    name,
    { rows: ROWS, width: WIDTH, dtype: 'F32', data: data() },
  ]);
  const connector = new LocalConnector(new Map(embeddings));
  const account = new EncoderCacheManager<Sequence>(room * BYTES);
  const held = new Set<string>();
  const sink = {
    keep: ({ mmHash }: { mmHash: string }) => void held.add(mmHash),
    forget: (mmHash: string) => void held.delete(mmHash),
  };
  const sides = { scheduler: connector, worker: connector };
  const intake = new EmbeddingLoader(sides, account, sink, WIDTH);
  const round = ({ sequence, ec }: ReturnType<typeof promptOf>, computed: number): string[] => {
    intake.reserve(sequence, ec, computed);
    connector.bindConnectorMetadata(intake.nextLoads());
    connector.startLoadCaches();
    intake.collect(connector.getFinished());
    connector.clearConnectorMetadata();
    account.checkInvariants();
    return [...held].toSorted();
  };
  return { intake, round };
}

test('an image goes when its last use is computed and the room is wanted, not before', (t) => {
  const { intake, round } = setUp(2);
  const first = promptOf(1, 'a', 'b');
  const second = promptOf(2, 'c');
  t.deepEqual(round(first, 0), ['a', 'b']);
  intake.release(first.sequence, 9);
  t.deepEqual(round(second, 0), ['a', 'b']);
  intake.release(first.sequence, 10);
  t.deepEqual(round(second, 0), ['b', 'c']);
});

test('an image that a prompt shows twice is held until its second use', (t) => {
  const { intake, round } = setUp(2);
  const first = promptOf(1, 'a', 'b', 'a');
  t.deepEqual(round(first, 0), ['a', 'b']);
  intake.release(first.sequence, 20);
  t.deepEqual(round(promptOf(2, 'c'), 0), ['a', 'c'], 'the other one has been used');
});

test('room for an image is not taken from one that the prompt needs before it, and after it again', (t) => {
  const { intake, round } = setUp(2);
  const earlier = promptOf(0, 'c');
  const prompt = promptOf(1, 'a', 'b', 'a');
  t.deepEqual(round(earlier, 0), ['c']);
  t.deepEqual(round(prompt, 0), ['a', 'c']);
  t.deepEqual(round(prompt, 0), ['a', 'c']);
  intake.releaseAll(earlier.sequence);
  t.deepEqual(round(prompt, 0), ['a', 'b']);
});

test('what a prompt holds and finds computed by others makes room for what it needs next', (t) => {
  const { round } = setUp(2);
  const prompt = promptOf(1, 'a', 'b', 'c');
  t.deepEqual(round(prompt, 0), ['a', 'b']);
  t.deepEqual(round(prompt, 26), ['b', 'c']);
});

test('whoever is earlier in turn gets the room that a later one holds', (t) => {
  const { round } = setUp(2);
  t.deepEqual(round(promptOf(2, 'a', 'b'), 0), ['a', 'b']);
  t.deepEqual(round(promptOf(3, 'c'), 0), ['a', 'b']);
  t.deepEqual(round(promptOf(1, 'c'), 0), ['b', 'c']);
});
