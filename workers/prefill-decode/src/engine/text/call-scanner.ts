import type { OutputDelta } from '@epd/jobs';
import type { ToolCallFormat } from '@epd/model';

export interface Scanned {
  readonly deltas: readonly OutputDelta[];
  /** The text behind the call; absent while the call is incomplete. */
  readonly rest?: string;
}

/**
 * Reads one call behind its opener: name, then arguments, then tail. Arguments are a JSON object, which ends
 * with the brace of its first one: they are passed on as they come.
 */
export class CallScanner {
  readonly #format: ToolCallFormat;
  readonly #index: number;
  readonly #id: string;
  #part: 'name' | 'arguments' | 'tail' = 'name';
  #held = '';
  readonly #json = new ObjectScanner();

  constructor(format: ToolCallFormat, index: number, id: string) {
    this.#format = format;
    this.#index = index;
    this.#id = id;
  }

  push(text: string): Scanned {
    this.#held += text;
    const deltas: OutputDelta[] = [];
    if (this.#part === 'name') deltas.push(...this.#readName());
    if (this.#part === 'arguments') deltas.push(...this.#readArguments());
    const rest = this.#part === 'tail' ? this.#readTail() : undefined;
    return rest === undefined ? { deltas } : { deltas, rest };
  }

  /** The answer was cut short: text of a call of which not even the name was read. */
  flush(): string {
    return this.#part === 'name' ? this.#format.opener + this.#held : '';
  }

  #readName(): OutputDelta[] {
    const { head, middle } = this.#format;
    const end = this.#held.indexOf(middle, head.length);
    if (end < 0) return [];
    const name = this.#held.slice(head.length, end);
    this.#held = this.#held.slice(end + middle.length);
    this.#part = 'arguments';
    return [{ type: 'tool_call', index: this.#index, id: this.#id, name, arguments: '' }];
  }

  #readArguments(): OutputDelta[] {
    const end = this.#json.push(this.#held);
    const text = end === null ? this.#held : this.#held.slice(0, end);
    this.#held = this.#held.slice(text.length);
    if (end !== null) this.#part = 'tail';
    return text === '' ? [] : [{ type: 'tool_call', index: this.#index, arguments: text }];
  }

  #readTail(): string | undefined {
    const { tail } = this.#format;
    if (this.#held.length < tail.length && tail.startsWith(this.#held)) return undefined;
    return this.#held.startsWith(tail) ? this.#held.slice(tail.length) : this.#held;
  }
}

/** Finds the end of a JSON object in text that comes in pieces. */
class ObjectScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** How much of the piece belongs to the object when it ends in it; null: it continues. */
  push(text: string): number | null {
    for (let at = 0; at < text.length; at += 1) {
      if (this.#ends(text[at] ?? '')) return at + 1;
    }
    return null;
  }

  #ends(character: string): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (character === '\\') this.#escaped = true;
      else if (character === '"') this.#inString = false;
      return false;
    }
    if (character === '"') this.#inString = true;
    else if (character === '{') this.#depth += 1;
    else if (character === '}') this.#depth -= 1;
    return character === '}' && this.#depth === 0;
  }
}
