import type { TaggedConstraint } from '../constraint.ts';
import type { RegexPool } from '../regex/pool.ts';
import type { Regex } from '../regex/regex.ts';
import type { TextForm } from '../regex/texts.ts';
import type { Frames } from './frames.ts';
import type { ValueNode } from './grammar.ts';
import type { JsonFrames } from './json-frames.ts';
import type { Frame, Position } from './position.ts';

/** Turns tagged JSON into frames. `values` are those of the tags, in order. */
export class TaggedFrames {
  readonly #frames: Frames;
  readonly #json: JsonFrames;
  readonly #constraint: TaggedConstraint;
  readonly #values: readonly ValueNode[];
  readonly #form: TextForm;

  constructor(
    frames: Frames,
    json: JsonFrames,
    constraint: TaggedConstraint,
    values: readonly ValueNode[],
    form: TextForm,
  ) {
    this.#frames = frames;
    this.#json = json;
    this.#constraint = constraint;
    this.#values = values;
    this.#form = form;
  }

  /** Before at least one tag. */
  first(): readonly Position[] {
    return this.#beginnings(0);
  }

  /** Behind `count` tags; no further counted than it makes a difference. */
  between(count: number): readonly Position[] {
    const { least, most } = this.#constraint;
    return [
      ...(count >= least ? this.#ending() : []),
      ...(most === null || count < most ? this.#beginnings(count) : []),
    ];
  }

  #ending(): readonly Position[] {
    const { end, done, pool } = this.#frames;
    if (!this.#constraint.freeText) return [done];
    return this.#frames.open(withoutAny(pool, this.#form, this.#openers), end);
  }

  #beginnings(count: number): Position[] {
    const { tags, freeText, separator } = this.#constraint;
    const { pool } = this.#frames;
    return tags.flatMap(({ begin }, index) => {
      const lexeme = freeText
        ? this.#freeUpTo(begin)
        : pool.text((count > 0 ? separator : '') + begin);
      return this.#frames.open(lexeme, this.#content(index, count));
    });
  }

  #content(index: number, count: number): Frame {
    const { pool } = this.#frames;
    return this.#frames.frame(`<${index},${count}`, () => {
      const end = pool.text(this.#constraint.tags[index]?.end ?? '');
      const after = this.#frames.frame(`/${index},${count}`, () =>
        this.#frames.open(end, this.#after(count + 1)),
      );
      const value = this.#values[index];
      return value ? this.#json.value(value, after) : [];
    });
  }

  #after(count: number): Frame {
    const { least, most } = this.#constraint;
    const counted = Math.min(count, most ?? Math.max(least, 1));
    return this.#frames.frame(`>${counted}`, () => this.between(counted));
  }

  #freeUpTo(begin: string): Regex {
    const { pool } = this.#frames;
    const { opener } = this.#constraint;
    if (opener === undefined || !begin.startsWith(opener))
      return upTo(pool, this.#form, begin, this.#openers);
    const opened = upTo(pool, this.#form, opener, this.#openers);
    return pool.concat(opened, pool.text(begin.slice(opener.length)));
  }

  get #openers(): readonly string[] {
    const { opener, tags } = this.#constraint;
    return opener === undefined ? tags.map(({ begin }) => begin) : [opener];
  }
}

const containing = (pool: RegexPool, form: TextForm, texts: readonly string[]): Regex =>
  pool.sequence(form.all, pool.or(...texts.map((text) => pool.text(text))));

/** Texts in which none of the others stands. */
function withoutAny(pool: RegexPool, form: TextForm, texts: readonly string[]): Regex {
  return pool.and(form.all, pool.not(pool.concat(containing(pool, form, texts), form.all)));
}

/** Texts that end with `text`, and in which none of `texts` stands before that. */
function upTo(pool: RegexPool, form: TextForm, text: string, texts: readonly string[]): Regex {
  const more = pool.concat(form.anyChar, form.all);
  const early = pool.concat(containing(pool, form, texts), more);
  return pool.and(pool.concat(form.all, pool.text(text)), pool.not(early));
}
