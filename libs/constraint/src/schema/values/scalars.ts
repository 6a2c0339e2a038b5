import {
  decimalStart,
  FRACTION_DIGITS_MAX,
  STEP_MAX,
  toDecimal,
  type DecimalSpec,
} from '../../regex/decimal.ts';
import { byteSet } from '../../regex/byte-set.ts';
import type { RegexPool } from '../../regex/pool.ts';
import type { Regex } from '../../regex/regex.ts';
import { freeJsonChar, jsonText, type TextForm } from '../../regex/texts.ts';

export interface NumberBounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly exclusiveMin?: boolean;
  readonly exclusiveMax?: boolean;
  readonly multipleOf?: number | undefined;
}

/** Digits of an exponent: more would pass what a double can hold. */
const EXPONENT_DIGITS_MAX = 2;

/** Expressions for the strings and numbers of JSON, closed under and, or, not. */
export class Scalars {
  readonly pool: RegexPool;
  /** Of what stands between the quotes of a string. */
  readonly form: TextForm;
  readonly anyNumber: Regex;
  readonly integer: Regex;
  readonly #freeChar: Regex;
  readonly #decimals: Regex;

  constructor(pool: RegexPool) {
    this.pool = pool;
    this.form = jsonText(pool);
    this.#freeChar = freeJsonChar(pool);
    this.integer = this.#decimal({}, 0);
    this.#decimals = this.#decimal({}, FRACTION_DIGITS_MAX);
    this.anyNumber = pool.concat(this.#decimals, pool.optional(exponent(pool)));
  }

  get anyString(): Regex {
    return this.form.all;
  }

  lengths(min: number, max: number): Regex {
    return min === 0 && max === Number.POSITIVE_INFINITY
      ? this.form.all
      : this.pool.repeat(this.form.anyChar, min, max);
  }

  notString(strings: Regex): Regex {
    return this.pool.and(this.form.all, this.pool.not(strings));
  }

  /** With its quotes. Where the content is free, every spelling of a character is. */
  quoted(content: Regex): Regex {
    const { shape } = content;
    const counted = shape.kind === 'repeat' && shape.part === this.form.anyChar;
    const free = counted ? this.pool.repeat(this.#freeChar, shape.min, shape.max) : content;
    const quote = this.pool.byte(0x22);
    return this.pool.sequence(quote, free, quote);
  }

  /** Null when the step is too fine or too large to reckon with. */
  numbers(bounds: NumberBounds): Regex | null {
    const { multipleOf } = bounds;
    if (multipleOf === undefined) return this.#decimal(bounds, FRACTION_DIGITS_MAX);
    const step = stepOf(multipleOf);
    return step && this.#decimal(bounds, step.stepDigits, step);
  }

  /** Numbers that are none of these, whatever way they are spelled: without an exponent. */
  notNumber(numbers: Regex): Regex {
    return this.pool.and(this.#decimals, this.pool.not(this.#wide(numbers)));
  }

  andNumber(a: Regex, b: Regex): Regex {
    if (a === this.anyNumber) return b;
    if (b === this.anyNumber) return a;
    const merged = mergedSpec(a, b);
    return merged ? this.pool.decimal(decimalStart(merged)) : this.pool.and(a, b);
  }

  /** The number in every spelling without an exponent. */
  equalTo(value: number): Regex {
    return this.#decimal({ min: value, max: value }, FRACTION_DIGITS_MAX);
  }

  /** `4` stands for `4.0`, too, when it is excluded. */
  #wide(numbers: Regex): Regex {
    const { shape } = numbers;
    if (numbers === this.anyNumber) return this.#decimals;
    if (shape.kind === 'or' || shape.kind === 'and')
      return this.pool[shape.kind](...shape.parts.map((part) => this.#wide(part)));
    if (shape.kind !== 'decimal' || shape.state.phase !== 'start') return numbers;
    const { spec } = shape.state;
    const step = spec.step === 0 && spec.fractionMax === 0 ? { step: 1, stepDigits: 0 } : {};
    return this.pool.decimal(
      decimalStart(named({ ...spec, ...step, fractionMax: FRACTION_DIGITS_MAX })),
    );
  }

  #decimal(bounds: NumberBounds, fractionMax: number, step = { step: 0, stepDigits: 0 }): Regex {
    const { min, max, exclusiveMin = false, exclusiveMax = false } = bounds;
    const spec = named({
      min: min === undefined ? null : toDecimal(min),
      max: max === undefined ? null : toDecimal(max),
      exclusiveMin,
      exclusiveMax,
      ...step,
      fractionMax,
    });
    return this.pool.decimal(decimalStart(spec));
  }
}

function named(spec: Omit<DecimalSpec, 'id'>): DecimalSpec {
  const { min, max, exclusiveMin, exclusiveMax, step, stepDigits, fractionMax } = spec;
  const id = JSON.stringify([min, max, exclusiveMin, exclusiveMax, step, stepDigits, fractionMax]);
  return { ...spec, id };
}

function stepOf(multipleOf: number): { step: number; stepDigits: number } | null {
  const { whole, fraction } = toDecimal(multipleOf);
  const step = Number(whole + fraction);
  return step > 0 && step <= STEP_MAX && fraction.length <= FRACTION_DIGITS_MAX
    ? { step, stepDigits: fraction.length }
    : null;
}

/** Two automata as one, where no bound stands against another. */
function mergedSpec(a: Regex, b: Regex): DecimalSpec | null {
  if (a.shape.kind !== 'decimal' || b.shape.kind !== 'decimal') return null;
  const one = a.shape.state.spec;
  const two = b.shape.state.spec;
  if ((one.min && two.min) || (one.max && two.max) || (one.step && two.step)) return null;
  const { step, stepDigits } = one.step ? one : two;
  return named({
    min: one.min ?? two.min,
    max: one.max ?? two.max,
    exclusiveMin: one.exclusiveMin || two.exclusiveMin,
    exclusiveMax: one.exclusiveMax || two.exclusiveMax,
    step,
    stepDigits,
    fractionMax: Math.min(one.fractionMax, two.fractionMax),
  });
}

function exponent(pool: RegexPool): Regex {
  const digit = pool.bytes(byteSet([0x30, 0x39]));
  const sign = pool.optional(pool.bytes(byteSet([0x2b, 0x2b], [0x2d, 0x2d])));
  const letter = pool.bytes(byteSet([0x45, 0x45], [0x65, 0x65]));
  return pool.sequence(letter, sign, pool.repeat(digit, 1, EXPONENT_DIGITS_MAX));
}
