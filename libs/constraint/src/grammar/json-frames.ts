import type { Regex } from '../regex/regex.ts';
import type { Frames } from './frames.ts';
import type { ArrayNode, KeyNode, ObjectNode, ValueNode } from './grammar.ts';
import { canClose, choose, EMPTY_OBJECT, mayTake, type ObjectProgress } from './object-progress.ts';
import type { Frame, Position } from './position.ts';

/** What stands between values, white space before it included. */
interface Punctuation {
  readonly brace: Regex;
  readonly braceEnd: Regex;
  readonly bracket: Regex;
  readonly bracketEnd: Regex;
  readonly comma: Regex;
}

/** Turns the nodes of a grammar into frames, as an answer comes to them. */
export class JsonFrames {
  readonly #frames: Frames;
  readonly #blank: Regex;
  readonly #punctuation: Punctuation;

  constructor(frames: Frames, blank: Regex) {
    this.#frames = frames;
    this.#blank = blank;
    const { pool } = frames;
    const mark = (text: string): Regex => pool.concat(blank, pool.text(text));
    this.#punctuation = {
      brace: mark('{'),
      braceEnd: mark('}'),
      bracket: mark('['),
      bracketEnd: mark(']'),
      comma: mark(','),
    };
  }

  value(node: ValueNode, after: Frame): readonly Position[] {
    const { brace, bracket } = this.#punctuation;
    const { scalar, objects, arrays } = node;
    return [
      ...(scalar ? this.#frames.open(this.#frames.pool.concat(this.#blank, scalar), after) : []),
      ...objects.flatMap((object) => this.#frames.open(brace, this.#opened(object, after))),
      ...arrays.flatMap((array) => this.#frames.open(bracket, this.#items(array, 0, after, true))),
    ];
  }

  /** Behind `{`. */
  #opened(object: ObjectNode, after: Frame): Frame {
    return this.#frames.frame(`{${object.id},${after.id}`, () => [
      ...this.#close(object, EMPTY_OBJECT, after),
      ...this.#keys(object, EMPTY_OBJECT, after),
    ]);
  }

  #close(object: ObjectNode, progress: ObjectProgress, after: Frame): readonly Position[] {
    return canClose(object, progress) ? this.#frames.open(this.#punctuation.braceEnd, after) : [];
  }

  #keys(object: ObjectNode, progress: ObjectProgress, after: Frame): Position[] {
    return object.keys.flatMap((key, index) => {
      const next = choose(object, progress, index);
      if (!next) return [];
      const lexeme = this.#frames.pool.concat(this.#blank, key.lexeme);
      return this.#frames.open(lexeme, this.#keyed(object, key, next, after));
    });
  }

  /** Behind a key and its colon. */
  #keyed(object: ObjectNode, key: KeyNode, progress: ObjectProgress, after: Frame): Frame {
    const member = this.#member(object, progress, after);
    return this.#frames.frame(`:${key.value.id},${member.id}`, () => this.value(key.value, member));
  }

  /** Behind a member. */
  #member(object: ObjectNode, progress: ObjectProgress, after: Frame): Frame {
    const key = `}${object.id},${progress.seen},${progress.count},${after.id}`;
    return this.#frames.frame(key, () => [
      ...this.#close(object, progress, after),
      ...(mayTake(object, progress)
        ? this.#frames.open(this.#punctuation.comma, this.#nextKey(object, progress, after))
        : []),
    ]);
  }

  #nextKey(object: ObjectNode, progress: ObjectProgress, after: Frame): Frame {
    const key = `,${object.id},${progress.seen},${progress.count},${after.id}`;
    return this.#frames.frame(key, () => this.#keys(object, progress, after));
  }

  /** Before item `count`; `first`: behind `[`, where the array may also end. */
  #items(array: ArrayNode, count: number, after: Frame, first: boolean): Frame {
    return this.#frames.frame(`${first ? '[' : ';'}${array.id},${count},${after.id}`, () => {
      const item = itemAt(array, count);
      return [
        ...(first ? this.#endArray(array, count, after) : []),
        ...(item ? this.value(item, this.#item(array, counted(array, count + 1), after)) : []),
      ];
    });
  }

  /** Behind an item, `count` of them. */
  #item(array: ArrayNode, count: number, after: Frame): Frame {
    return this.#frames.frame(`]${array.id},${count},${after.id}`, () => [
      ...this.#endArray(array, count, after),
      ...(itemAt(array, count)
        ? this.#frames.open(this.#punctuation.comma, this.#items(array, count, after, false))
        : []),
    ]);
  }

  #endArray(array: ArrayNode, count: number, after: Frame): readonly Position[] {
    return count >= array.min ? this.#frames.open(this.#punctuation.bracketEnd, after) : [];
  }
}

function itemAt(array: ArrayNode, count: number): ValueNode | null {
  return count < array.max ? (array.prefix[count] ?? array.rest) : null;
}

/** Where nothing depends on the number of items any more, all numbers are one. */
function counted(array: ArrayNode, count: number): number {
  if (array.max !== Number.POSITIVE_INFINITY) return count;
  return Math.min(count, Math.max(array.prefix.length, array.min));
}
