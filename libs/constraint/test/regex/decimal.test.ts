import test from 'ava';
import { nextOf } from '../../src/regex/next.ts';
import { RegexPool } from '../../src/regex/pool.ts';
import { toDecimal } from '../../src/regex/decimal.ts';
import type { Regex } from '../../src/regex/regex.ts';
import { Scalars } from '../../src/schema/values/scalars.ts';

const pool = new RegexPool();
const scalars = new Scalars(pool);
const VALUES = [0, 1, -1, 0.5, -0.5, 2.25, 10, 99, 100, 101, 1000, -10, -99.99, 0.001, 12.5, 13.5];

function matches(regex: Regex | null, text: string): boolean {
  let at = regex;
  for (const byte of Buffer.from(text)) at &&= nextOf(pool, at, byte);
  return at?.nullable === true;
}

const BOUNDS = [undefined, -10, -0.5, 0, 2.25, 100];

test('numbers keep to bounds on either side of zero', (t) => {
  for (const min of BOUNDS)
    for (const max of BOUNDS)
      for (const exclusive of [false, true]) {
        const bounds = { min, max, exclusiveMin: exclusive, exclusiveMax: exclusive };
        const regex = scalars.numbers(bounds);
        const excluded = regex && scalars.notNumber(regex);
        for (const value of VALUES) {
          const above = min === undefined || (exclusive ? value > min : value >= min);
          const below = max === undefined || (exclusive ? value < max : value <= max);
          const told = `${value} in ${JSON.stringify(bounds)}`;
          t.is(matches(regex, String(value)), above && below, told);
          t.is(matches(excluded, String(value)), !(above && below), told);
        }
      }
});

test('numbers are multiples of a step, whole or fractional', (t) => {
  for (const step of [5, 13.5, 0.01, 0.25])
    for (const value of VALUES) {
      const multiple = Number.isInteger(Math.round(value * 1000) / (step * 1000));
      t.is(matches(scalars.numbers({ multipleOf: step }), String(value)), multiple);
    }
});

test('what excludes 4 excludes 4.0, and a leading zero is no number', (t) => {
  const notFour = scalars.notNumber(scalars.equalTo(4));
  t.deepEqual(
    ['4', '4.0', '4.00', '4.01', '5', '04', '-4'].map((text) => matches(notFour, text)),
    [false, false, false, true, true, false, true],
  );
});

test('decimals are spelled out from any double', (t) => {
  t.deepEqual(toDecimal(1e21), { negative: false, whole: `1${'0'.repeat(21)}`, fraction: '' });
  t.deepEqual(toDecimal(-1.5e-7), { negative: true, whole: '0', fraction: '00000015' });
});
