import test from 'ava';
import { queuePriority } from '../src/queue-priority.ts';

const NOW = Date.UTC(2026, 10, 28, 12);
const MINUTE = 60_000;

test('the more urgent goes first, and of equals the earlier one or none', (t) => {
  t.true(queuePriority(-100, NOW) < queuePriority(0, NOW));
  t.true(queuePriority(0, NOW) < queuePriority(1, NOW));
  t.true(queuePriority(0, NOW) <= queuePriority(0, NOW + MINUTE));
});

test('whoever has waited long enough goes before new jobs of the most urgent priority', (t) => {
  const ordinary = queuePriority(0, NOW);
  t.true(queuePriority(-100, NOW + 8 * 60 * MINUTE) < ordinary);
  t.true(queuePriority(-100, NOW + 9 * 60 * MINUTE) > ordinary);
});

test('ranks are what BullMQ takes, whatever the clock', (t) => {
  for (const at of [0, NOW, Date.UTC(2044, 0), Date.UTC(2100, 0)]) {
    for (const priority of [-100, 100]) {
      const rank = queuePriority(priority, at);
      t.true(Number.isInteger(rank) && rank >= 1 && rank < 2 ** 21, String(at));
    }
  }
});
