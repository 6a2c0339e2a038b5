import test from 'ava';
import { MemoryBudget } from '../../src/http/memory-budget.ts';

const BUSY = { code: 'busy' };

test('one request may hold the whole budget, and no more', (t) => {
  const budget = new MemoryBudget(100);
  const hold = budget.open('a');
  hold.take(60);
  hold.take(40);
  t.throws(() => hold.take(1), BUSY);
  t.is(budget.bytes, 100);
});

test('several requests of a tenant share half of it, so that others come through', (t) => {
  const budget = new MemoryBudget(100);
  const [first, second] = [budget.open('a'), budget.open('a')];
  first.take(30);
  second.take(20);
  t.throws(() => second.take(1), BUSY);
  t.throws(() => first.take(1), BUSY);
  t.notThrows(() => budget.open('b').take(50));
});

test('what a request holds beside its body is its own, and is released by itself', (t) => {
  const budget = new MemoryBudget(100);
  const body = budget.open('a');
  body.take(60);
  const picture = body.beside();
  picture.take(40);
  t.throws(() => picture.take(1), BUSY);
  t.throws(() => budget.open('a').take(1), BUSY);
  body.release();
  t.is(budget.bytes, 40, 'its caller is gone, and the picture still there');
  picture.take(60);
  picture.release();
  t.is(budget.bytes, 0);
});

test('what is released can be taken again, and is released once', (t) => {
  const budget = new MemoryBudget(100);
  const hold = budget.open('a');
  hold.take(100);
  hold.release();
  hold.release();
  hold.take(10);
  t.is(budget.bytes, 0);
  t.notThrows(() => budget.open('a').take(100));
});
