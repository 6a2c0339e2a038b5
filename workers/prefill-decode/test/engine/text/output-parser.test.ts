import test from 'ava';
import type { EngineEvent } from '../../../src/engine/index.ts';
import { MarkupParser } from '../../../src/engine/text/markup-parser.ts';
import { generate, sampling, sharedEngines } from '../../helpers/engine.ts';
import { readGolden } from '../../helpers/golden.ts';

const { cases, embeddings } = await readGolden();
const [engine] = await sharedEngines(test, 1, { embeddings });

/** Of a model without marks of its own. */
const parser = () =>
  new MarkupParser({ toolCalls: null, reasoning: null, opensReasoning: false, callId: String });

test('the deltas of an answer are its text, typed, in the order of the stream', async (t) => {
  const { tokens, features } = cases[0]!;
  const events: EngineEvent[] = [];
  const request = { tokens, features, sampling: sampling(), parser };
  const { choices } = await generate(engine!, request, events);
  const deltas = events.flatMap((event) => (event.type === 'tokens' ? (event.deltas ?? []) : []));
  t.true(deltas.every(({ type }) => type === 'content'));
  const texts = deltas.map((delta) => ('text' in delta ? delta.text : ''));
  t.is(texts.join(''), choices[0]?.text ?? 'nothing');
});
