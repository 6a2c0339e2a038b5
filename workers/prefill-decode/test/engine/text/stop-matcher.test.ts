import test from 'ava';
import { array, assert, constantFrom, nat, property, string } from 'fast-check';
import { StopMatcher } from '../../../src/engine/text/stop-matcher.ts';

function run(
  stops: readonly string[],
  pieces: readonly string[],
): { text: string; stopped: boolean } {
  const matcher = new StopMatcher(stops);
  let text = '';
  for (const piece of pieces) {
    const shown = matcher.push(piece);
    text += shown.text;
    if (shown.stopped) return { text, stopped: true };
  }
  return { text: text + matcher.flush(), stopped: false };
}

test('a stop string in pieces is cut off', (t) => {
  t.deepEqual(run(['END'], ['one E', 'N', 'D two']), { text: 'one ', stopped: true });
  t.deepEqual(run(['END'], ['one EN', 'GINE']), { text: 'one ENGINE', stopped: false });
});

test('the earliest of several stop strings counts', (t) => {
  t.deepEqual(run(['three', 'two'], ['one two three']), { text: 'one ', stopped: true });
});

test('without stop strings everything is shown at once', (t) => {
  t.deepEqual(new StopMatcher([]).push('any'), { text: 'any', stopped: false });
});

test('no text is lost, none of a stop string is shown, however the text comes in pieces', (t) => {
  const letters = string({ unit: constantFrom('a', 'b', 'c'), maxLength: 30 });
  const stops = array(string({ unit: constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  });
  assert(
    property(letters, stops, array(nat(5)), (text, wanted, cuts) => {
      const pieces: string[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(text.slice(at, (at += cut)));
      pieces.push(text.slice(at));
      const ends = wanted
        .map((stop) => text.indexOf(stop) + stop.length)
        .filter((_, index) => text.includes(wanted[index] ?? ''));
      const { text: shown, stopped } = run(wanted, pieces);
      if (ends.length === 0) return !stopped && shown === text;
      return stopped && text.startsWith(shown) && wanted.every((stop) => !shown.includes(stop));
    }),
  );
  t.pass();
});
