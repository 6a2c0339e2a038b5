/** Code points as sorted ranges that neither touch nor overlap. */
export type CodePoints = readonly (readonly [from: number, to: number])[];

const LAST_CODE_POINT = 0x10ffff;
const SURROGATES: CodePoints = [[0xd800, 0xdfff]];

export function unite(...sets: readonly CodePoints[]): CodePoints {
  const sorted = sets.flat().toSorted((a, b) => a[0] - b[0]);
  const united: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = united.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else united.push([from, to]);
  }
  return united;
}

export function complement(set: CodePoints): CodePoints {
  const rest: [number, number][] = [];
  let from = 0;
  for (const [start, end] of set) {
    if (start > from) rest.push([from, start - 1]);
    from = end + 1;
  }
  if (from <= LAST_CODE_POINT) rest.push([from, LAST_CODE_POINT]);
  return rest;
}

export const subtract = (set: CodePoints, taken: CodePoints): CodePoints =>
  complement(unite(complement(set), taken));

/** Code points that UTF-8 can spell. */
export const ANY: CodePoints = complement(SURROGATES);
export const withoutSurrogates = (set: CodePoints): CodePoints => subtract(set, SURROGATES);

export const DIGIT: CodePoints = [[0x30, 0x39]];
export const WORD: CodePoints = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** What `\s` stands for in ECMAScript. */
export const SPACE: CodePoints = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
/** What `.` leaves out. */
export const LINE_ENDS: CodePoints = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

const properties = new Map<string, CodePoints>();

/** Of a Unicode property, such as `Letter`; null when there is none of this name. */
export function withProperty(name: string): CodePoints | null {
  const known = properties.get(name);
  if (known) return known;
  const test = propertyTest(name);
  if (!test) return null;
  const found: [number, number][] = [];
  for (let point = 0; point <= LAST_CODE_POINT; point++) {
    if (!test.test(String.fromCodePoint(point))) continue;
    const last = found.at(-1);
    if (last && last[1] === point - 1) last[1] = point;
    else found.push([point, point]);
  }
  properties.set(name, found);
  return found;
}

function propertyTest(name: string): RegExp | null {
  try {
    return new RegExp(`^\\p{${name}}$`, 'u');
  } catch {
    return null;
  }
}
