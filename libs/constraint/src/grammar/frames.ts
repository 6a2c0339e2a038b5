import { nextOf } from '../regex/next.ts';
import type { RegexPool } from '../regex/pool.ts';
import type { Regex } from '../regex/regex.ts';
import type { Frame, Position } from './position.ts';

/** Positions and frames kept at once, a few hundred bytes each. */
const KEPT_MAX = 20_000;

/** Makes frames and positions, one object of each, and moves positions over bytes. */
export class Frames {
  readonly pool: RegexPool;
  /** The answer is whole. */
  readonly done: Position;
  readonly end: Frame;
  readonly #frames = new Map<string, Frame>();
  readonly #positions = new Map<string, Position>();
  #ids = 1;

  constructor(pool: RegexPool) {
    this.pool = pool;
    this.end = { id: 0, resume: () => [this.done] };
    this.done = { lexeme: pool.none, frame: this.end };
  }

  frame(key: string, resume: () => readonly Position[]): Frame {
    const known = this.#frames.get(key);
    if (known) return known;
    // What is in use lives on in the states that refer to it.
    if (this.#frames.size + this.#positions.size > KEPT_MAX) this.#forget();
    let positions: readonly Position[] | null = null;
    const frame = { id: this.#ids++, resume: () => (positions ??= resume()) };
    this.#frames.set(key, frame);
    return frame;
  }

  /** Positions at the beginning of a lexeme; behind it, too, if it may be empty. */
  open(lexeme: Regex, frame: Frame): readonly Position[] {
    if (lexeme === this.pool.empty) return frame.resume();
    const here = this.#position(lexeme, frame);
    return lexeme.nullable ? [here, ...frame.resume()] : [here];
  }

  step(positions: readonly Position[], byte: number): readonly Position[] {
    const [only] = positions;
    if (positions.length === 1 && only) return this.#stepOne(only, byte);
    const next = new Set<Position>();
    for (const position of positions)
      for (const reached of this.#stepOne(position, byte)) next.add(reached);
    return [...next];
  }

  #stepOne({ lexeme, frame }: Position, byte: number): readonly Position[] {
    const next = nextOf(this.pool, lexeme, byte);
    return next === null ? [] : this.open(next, frame);
  }

  #position(lexeme: Regex, frame: Frame): Position {
    const key = `${lexeme.id},${frame.id}`;
    const known = this.#positions.get(key);
    if (known) return known;
    const position = { lexeme, frame };
    this.#positions.set(key, position);
    return position;
  }

  #forget(): void {
    this.#frames.clear();
    this.#positions.clear();
  }
}
