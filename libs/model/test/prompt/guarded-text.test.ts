import test from 'ava';
import { guardText } from '../../src/prompt/guarded-text.ts';

const CONTROLS = ['<image>', '<|im_start|>', '[INST]'];

function guarded(text: string): { text: string; unmark: (text: string) => string } {
  const { messages, unmark } = guardText({ messages: [{ role: 'user', content: text }] }, CONTROLS);
  return { text: messages[0]?.content as string, unmark };
}

for (const piece of ['<', '\uFDD0', '\uFDD0<', '<\uFDD0\uFDD1\uFDD2', '[', 'a\uFDD2<']) {
  test(`guarding ${JSON.stringify(piece)}, many times over, makes it three times as long at most`, (t) => {
    const text = piece.repeat(60_000 / piece.length);
    const { text: longer, unmark } = guarded(text);
    t.true(longer.length <= 3 * text.length, `${text.length} became ${longer.length}`);
    t.false(CONTROLS.some((control) => longer.includes(control)));
    t.is(unmark(longer), text);
  });
}

test('what is not dangerous is left as it is', (t) => {
  t.is(guarded('Is 3 > 2? 😀').text, 'Is 3 > 2? 😀');
});
