import sharp from 'sharp';
import { uniform } from '../random.ts';

/** A drawn scene and what is known of it: its largest object, as `colour shape`. */
export interface Scene {
  readonly png: Buffer;
  readonly mainObject: string;
}

const SIDE = 128;
const CELLS = 3;
/** Drawn so many times as large, then made smaller: edges come out smooth. */
const SUPERSAMPLED = 3;
const BIG = SIDE * SUPERSAMPLED;

type Colour = readonly [number, number, number];

const COLOURS: Readonly<Record<string, Colour>> = {
  red: [220, 30, 35],
  orange: [245, 140, 20],
  yellow: [250, 220, 40],
  green: [30, 160, 60],
  blue: [35, 80, 215],
  purple: [130, 50, 180],
  pink: [250, 130, 180],
  brown: [120, 75, 40],
  black: [15, 15, 15],
  white: [250, 250, 250],
  grey: [130, 130, 130],
};

/** Whether a point is inside; shapes lie around the origin and are about two units wide. */
const SHAPES: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  circle: (x, y) => x ** 2 + y ** 2 < 1,
  ring: (x, y) => x ** 2 + y ** 2 < 1 && x ** 2 + y ** 2 > 0.4,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  diamond: (x, y) => Math.abs(x) / 0.75 + Math.abs(y) / 1.15 < 1,
  triangle: (x, y) => y < 0.7 && y > 1.8 * Math.abs(x) - 1.1,
  cross: (x, y) =>
    Math.min(Math.abs(x), Math.abs(y)) < 0.36 && Math.max(Math.abs(x), Math.abs(y)) < 1,
};

interface DrawnObject {
  readonly name: string;
  readonly colour: Colour;
  readonly covers: (x: number, y: number) => boolean;
}

/** Scenes of the kind that the bundled model was trained on: one large object, up to three small ones. */
export async function drawScenes(count: number, seed: number): Promise<Scene[]> {
  const next = uniform(seed);
  const scenes: Scene[] = [];
  while (scenes.length < count) scenes.push(await drawScene(next));
  return scenes;
}

async function drawScene(next: () => number): Promise<Scene> {
  const cells = shuffled(
    Array.from({ length: CELLS ** 2 }, (_, cell) => cell),
    next,
  );
  const main = anObject(next, cells.pop() ?? 0, 18 + 4 * next());
  const others = cells
    .slice(0, Math.floor(4 * next()))
    .map((cell) => anObject(next, cell, 9 + 2.5 * next()));
  const pixels = paint([main, ...others], aBackground(next, main.colour));
  const png = await sharp(pixels, { raw: { width: BIG, height: BIG, channels: 3 } })
    .resize(SIDE, SIDE)
    .png()
    .toBuffer();
  return { png, mainObject: main.name };
}

/** Light grey, dark, or of any light colour; never so near the main object's that it could not be seen. */
function aBackground(next: () => number, main: Colour): Colour {
  const kind = next();
  const grey = kind < 0.4 ? 235 + 20 * next() : 60 * next();
  const colour: Colour =
    kind < 0.6 ? [grey, grey, grey] : [150 + 105 * next(), 150 + 105 * next(), 150 + 105 * next()];
  const distance = Math.hypot(...colour.map((value, i) => value - main[i]!));
  return distance < 100 ? aBackground(next, main) : colour;
}

function anObject(next: () => number, cell: number, radius: number): DrawnObject {
  const shape = pick(Object.keys(SHAPES), next);
  const colour = pick(Object.keys(COLOURS), next);
  const middle = (index: number): number => ((index + 0.5) * SIDE) / CELLS + 4 * (next() - 0.5);
  const [left, top] = [middle(cell % CELLS), middle(Math.floor(cell / CELLS))];
  const turn = (next() - 0.5) / 2;
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  const covers = (x: number, y: number): boolean => {
    const [dx, dy] = [(x - left) / radius, (y - top) / radius];
    return SHAPES[shape]!(cos * dx + sin * dy, cos * dy - sin * dx);
  };
  return { name: `${colour} ${shape}`, colour: COLOURS[colour]!, covers };
}

function paint(objects: readonly DrawnObject[], background: Colour): Buffer {
  const pixels = Buffer.alloc(BIG ** 2 * 3);
  for (let at = 0; at < BIG ** 2; at++) {
    const [x, y] = [(at % BIG) / SUPERSAMPLED, Math.floor(at / BIG) / SUPERSAMPLED];
    const colour = objects.find(({ covers }) => covers(x, y))?.colour ?? background;
    pixels.set(colour, at * 3);
  }
  return pixels;
}

const pick = <T>(all: readonly T[], next: () => number): T => all[Math.floor(next() * all.length)]!;

function shuffled<T>(all: T[], next: () => number): T[] {
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
