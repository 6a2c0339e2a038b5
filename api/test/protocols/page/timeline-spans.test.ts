import test from 'ava';

interface Span {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

interface Spans {
  readonly pictures: Span[][];
  readonly decoder: Span[];
  readonly overlapMs: number;
}

/** A module that a browser loads as it is: it has no types. */
const module = new URL('../../../src/protocols/page/assets/timeline-spans.js', import.meta.url);
const { spansOf } = (await import(module.href)) as {
  spansOf: (events: object[], images: number, untilMs: number) => Spans;
};

const stage = (name: string, ms: number, item?: number) => ({
  type: 'stage',
  stage: name,
  ms,
  item,
});
const told = (spans: Span[]) => spans.map(({ kind, from, to }) => `${kind} ${from}-${to}`);

test('two pictures and a decoder that reads up to the one that is missing', (t) => {
  const { pictures, decoder, overlapMs } = spansOf(
    [
      stage('queued', 0),
      stage('encoding', 10, 0),
      stage('prefill', 20),
      stage('waiting_for_embeddings', 30, 0),
      stage('encoding', 40, 1),
      stage('stored', 50, 0),
      stage('loaded', 60, 0),
      stage('waiting_for_embeddings', 80, 1),
      stage('stored', 90, 1),
      stage('loaded', 95, 1),
      stage('first_token', 100),
      { type: 'tokens', text: 'x' },
    ],
    2,
    150,
  );
  t.deepEqual(pictures.map(told), [
    ['waiting 0-10', 'encoding 10-50', 'ready 50-60', 'loaded 60-60'],
    ['waiting 0-40', 'encoding 40-90', 'ready 90-95', 'loaded 95-95'],
  ]);
  t.deepEqual(told(decoder), [
    'waiting 0-20',
    'reading 20-30',
    'reading 60-80',
    'reading 95-100',
    'held 30-60',
    'held 80-95',
    'answering 100-150',
  ]);
  t.is(overlapMs, 30); // 20 to 30 with the first, 60 to 80 with the second
});

test('an encoding ends when the decoder has it, also before it is stored, and is seen however short', (t) => {
  const { pictures } = spansOf(
    [
      stage('encoding', 10, 0),
      stage('loaded', 30, 0),
      stage('stored', 40, 0),
      stage('encoding', 20, 1),
      stage('stored', 20, 1),
      stage('loaded', 25, 1),
    ],
    2,
    50,
  );
  t.deepEqual(pictures.map(told), [
    ['waiting 0-10', 'encoding 10-30', 'loaded 30-30'],
    ['waiting 0-20', 'encoding 20-20', 'ready 20-25', 'loaded 25-25'],
  ]);
});

test('what has not happened yet lasts until now', (t) => {
  const { pictures, decoder } = spansOf([stage('encoding', 10, 0)], 2, 25);
  t.deepEqual(pictures.map(told), [['waiting 0-10', 'encoding 10-25'], ['waiting 0-25']]);
  t.deepEqual(told(decoder), ['waiting 0-25']);
});

test('a picture from the cache is not encoded, and waits that overlap are one after the other', (t) => {
  const { pictures, decoder } = spansOf(
    [
      stage('prefill', 5),
      stage('waiting_for_embeddings', 6, 0),
      stage('waiting_for_embeddings', 7, 1),
      stage('loaded', 9, 0),
      stage('loaded', 8, 1),
      stage('first_token', 12),
    ],
    2,
    20,
  );
  t.deepEqual(pictures.map(told), [
    ['waiting 0-9', 'loaded 9-9'],
    ['waiting 0-8', 'loaded 8-8'],
  ]);
  t.deepEqual(told(decoder), [
    'waiting 0-5',
    'reading 5-6',
    'reading 9-12',
    'held 6-9',
    'answering 12-20',
  ]);
});
