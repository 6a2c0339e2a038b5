/**
 * The automaton of decimal numbers without an exponent that lie between two bounds and are multiples of
 * a step. It reads the digits from the left, knows how they compare with those of each bound so far and
 * what the division by the step leaves.
 *
 * sign → whole digits → fraction digits; a number may end after any digit where bounds and step hold.
 */
export interface DecimalSpec {
  readonly id: string;
  readonly min: Decimal | null;
  readonly max: Decimal | null;
  readonly exclusiveMin: boolean;
  readonly exclusiveMax: boolean;
  /** The step is `step / 10 ** stepDigits`; 0: none. */
  readonly step: number;
  readonly stepDigits: number;
  /** Digits of the fraction at most. */
  readonly fractionMax: number;
}

/** A decimal number by its digits; the whole part of 0.5 is "0". */
export interface Decimal {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

export interface DecimalState {
  readonly spec: DecimalSpec;
  readonly phase: 'start' | 'sign' | 'whole' | 'point' | 'fraction';
  readonly negative: boolean;
  readonly digits: number;
  readonly fractionDigits: number;
  /** Of the magnitude with that of the bound, over the digits read: -1, 0, 1. */
  readonly versusMin: number;
  readonly versusMax: number;
  readonly remainder: number;
}

/** More whole digits lose precision in every client; they would also never have to end. */
const WHOLE_DIGITS_MAX = 19;
/** As many as tell all doubles near 1 apart. */
export const FRACTION_DIGITS_MAX = 17;
/** Remainders times ten stay exact integers. */
export const STEP_MAX = 1e9;

const ZERO = 48;
const MINUS = 45;
const POINT = 46;

export const decimalStart = (spec: DecimalSpec): DecimalState => ({
  spec,
  phase: 'start',
  negative: false,
  digits: 0,
  fractionDigits: 0,
  versusMin: 0,
  versusMax: 0,
  remainder: 0,
});

export function decimalKey(state: DecimalState): string {
  const { spec, phase, negative, digits, fractionDigits } = state;
  const { versusMin, versusMax, remainder } = state;
  return `${spec.id}:${phase}${negative ? '-' : '+'}${digits},${fractionDigits},${versusMin},${versusMax},${remainder}`;
}

export function decimalNext(state: DecimalState, byte: number): DecimalState | null {
  const { phase } = state;
  if (byte === MINUS) return phase === 'start' ? { ...state, phase: 'sign', negative: true } : null;
  if (byte === POINT) return phase === 'whole' ? point(state) : null;
  if (byte < ZERO || byte > ZERO + 9) return null;
  return phase === 'point' || phase === 'fraction'
    ? fractionDigit(state, byte - ZERO)
    : wholeDigit(state, byte - ZERO);
}

export function decimalAccepts(state: DecimalState): boolean {
  const { spec, phase, negative } = state;
  if (phase !== 'whole' && phase !== 'fraction') return false;
  const { min, max } = spec;
  if (min && !holds(signed(negative, min, ended(state, state.versusMin, min)), spec.exclusiveMin))
    return false;
  if (max && !holds(-signed(negative, max, ended(state, state.versusMax, max)), spec.exclusiveMax))
    return false;
  return dividedBySteps(state);
}

const holds = (order: number, exclusive: boolean): boolean =>
  order > 0 || (order === 0 && !exclusive);

function wholeDigit(state: DecimalState, digit: number): DecimalState | null {
  const { spec, digits } = state;
  // No digit follows a leading zero.
  if (digits === 1 && state.phase === 'whole' && state.remainder === -1) return null;
  if (digits >= wholeMax(spec)) return null;
  const leadingZero = digits === 0 && digit === 0;
  return {
    ...state,
    phase: 'whole',
    digits: digits + 1,
    versusMin: compareDigit(state.versusMin, spec.min?.whole, digits, digit),
    versusMax: compareDigit(state.versusMax, spec.max?.whole, digits, digit),
    // A leading zero is marked; it leaves nothing.
    remainder: leadingZero ? -1 : spec.step === 0 ? 0 : (state.remainder * 10 + digit) % spec.step,
  };
}

const wholeMax = ({ min, max }: DecimalSpec): number =>
  Math.max(WHOLE_DIGITS_MAX, min?.whole.length ?? 0, max?.whole.length ?? 0);

function point(state: DecimalState): DecimalState | null {
  const { spec } = state;
  if (spec.fractionMax === 0) return null;
  return {
    ...state,
    phase: 'point',
    digits: 0,
    remainder: Math.max(0, state.remainder),
    versusMin: wholeEnded(state.versusMin, spec.min?.whole, state.digits),
    versusMax: wholeEnded(state.versusMax, spec.max?.whole, state.digits),
  };
}

function fractionDigit(state: DecimalState, digit: number): DecimalState | null {
  const { spec, fractionDigits: at } = state;
  if (at >= spec.fractionMax) return null;
  const divides = spec.step !== 0;
  // Behind the digits of the step only zeros keep a multiple.
  if (divides && at >= spec.stepDigits && digit !== 0) return null;
  const counts = divides && at < spec.stepDigits;
  return {
    ...state,
    phase: 'fraction',
    fractionDigits: at + 1,
    versusMin: compareDigit(state.versusMin, spec.min?.fraction, at, digit, true),
    versusMax: compareDigit(state.versusMax, spec.max?.fraction, at, digit, true),
    remainder: counts ? (state.remainder * 10 + digit) % spec.step : state.remainder,
  };
}

function compareDigit(
  order: number,
  bound: string | undefined,
  at: number,
  digit: number,
  padded = false,
): number {
  if (bound === undefined || order !== 0) return order;
  if (at >= bound.length) return padded ? Math.sign(digit) : order;
  return Math.sign(digit - Number(bound[at]));
}

/** Of two whole parts without leading zeros the longer is the greater. */
function wholeEnded(order: number, bound: string | undefined, digits: number): number {
  if (bound === undefined) return 0;
  return digits === bound.length ? order : Math.sign(digits - bound.length);
}

function ended(state: DecimalState, order: number, bound: Decimal): number {
  const { phase, digits, fractionDigits } = state;
  const whole = phase === 'whole' ? wholeEnded(order, bound.whole, digits) : order;
  if (whole !== 0) return whole;
  return /[1-9]/.test(bound.fraction.slice(fractionDigits)) ? -1 : 0;
}

/** The order of the numbers, from that of their magnitudes. */
function signed(negative: boolean, bound: Decimal, magnitude: number): number {
  const zero = bound.whole === '0' && !/[1-9]/.test(bound.fraction);
  if (zero && magnitude === 0) return 0;
  if (negative !== bound.negative) return negative ? -1 : 1;
  return negative ? -magnitude : magnitude;
}

function dividedBySteps({ spec, remainder, fractionDigits }: DecimalState): boolean {
  const { step, stepDigits } = spec;
  if (step === 0) return true;
  let rest = Math.max(0, remainder);
  for (let digit = fractionDigits; digit < stepDigits; digit++) rest = (rest * 10) % step;
  return rest === 0;
}

/** Spelled out without an exponent. */
export function toDecimal(value: number): Decimal {
  const text = Math.abs(value).toString();
  const [mantissa = '0', exponent = '0'] = text.split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const shift = Number(exponent);
  const digits = whole + fraction;
  const at = whole.length + shift;
  const padded = at <= 0 ? '0'.repeat(1 - at) + digits : digits.padEnd(at, '0');
  const cut = Math.max(1, at);
  return {
    negative: value < 0,
    whole: padded.slice(0, cut).replace(/^0+(?=\d)/, ''),
    fraction: padded.slice(cut).replace(/0+$/, ''),
  };
}
