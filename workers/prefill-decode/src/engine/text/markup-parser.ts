import type { OutputDelta } from '@epd/jobs';
import type { ReasoningFormat, ToolCallFormat } from '@epd/model';
import { CallScanner } from './call-scanner.ts';
import { heldBack } from './held-back.ts';
import type { OutputParser } from './output-parser.ts';

export interface MarkupOptions {
  /** Null: what looks like a call is content. */
  readonly toolCalls: ToolCallFormat | null;
  /** Content that has begun holds no calls: a mark within its strings is none. */
  readonly callsOrContent?: boolean;
  /** Null: what looks like reasoning is content. */
  readonly reasoning: ReasoningFormat | null;
  /** The prompt has opened the reasoning. */
  readonly opensReasoning: boolean;
  /** The id of a call of this answer, by its number. */
  readonly callId: (index: number) => string;
}

/**
 * Separates reasoning and tool calls from content by the model's marks.
 *
 *   reasoning ──end──▶ content ⇄ call
 *
 * It begins in reasoning where the prompt does, and gets there from content only before any content: a model
 * thinks first. Blanks around reasoning, and before and between calls, belong to the marks.
 */
export class MarkupParser implements OutputParser {
  readonly #options: MarkupOptions;
  #state: 'reasoning' | 'content' | 'call';
  /** Not looked at yet, or maybe the beginning of a mark. */
  #held = '';
  #call: CallScanner | null = null;
  #calls = 0;
  /** Content was shown: no reasoning follows, and blanks count. */
  #begun = false;

  constructor(options: MarkupOptions) {
    this.#options = options;
    this.#state = options.opensReasoning && options.reasoning !== null ? 'reasoning' : 'content';
  }

  get isReasoning(): boolean {
    return this.#state === 'reasoning';
  }

  push(text: string): OutputDelta[] {
    this.#held += text;
    const deltas: OutputDelta[] = [];
    while (this.#step(deltas));
    return deltas;
  }

  flush(): OutputDelta[] {
    if (this.#state !== 'call') return this.#show(this.#take(this.#held.length));
    const unfinished = this.#call?.flush() ?? '';
    this.#state = 'content';
    return unfinished === '' ? [] : this.#show(unfinished);
  }

  /** Goes as far as one state reaches; false when it waits for more text. */
  #step(deltas: OutputDelta[]): boolean {
    if (this.#held === '') return false;
    if (this.#state === 'call') return this.#stepInCall(deltas);
    const { reasoning, toolCalls } = this.#options;
    if (this.#state === 'reasoning') {
      return this.#stepTo(reasoning?.end ?? '', deltas, () => this.#enterContent());
    }
    this.#dropBlanks();
    if (!this.#begun && reasoning !== null) {
      if (this.#held.startsWith(reasoning.begin)) return this.#enterReasoning(reasoning);
      if (reasoning.begin.startsWith(this.#held)) return false;
    }
    if (toolCalls === null || this.#isContentAlone(toolCalls)) return this.#showAll(deltas);
    return this.#stepTo(toolCalls.opener, deltas, () => this.#enterCall(toolCalls));
  }

  #stepInCall(deltas: OutputDelta[]): boolean {
    const scanned = this.#call?.push(this.#take(this.#held.length));
    deltas.push(...(scanned?.deltas ?? []));
    if (scanned?.rest === undefined) return false;
    this.#held = scanned.rest;
    this.#state = 'content';
    return true;
  }

  /** Shows what stands before the mark; what may be its beginning stays. */
  #stepTo(mark: string, deltas: OutputDelta[], enter: () => void): boolean {
    const at = this.#held.indexOf(mark);
    if (at >= 0) {
      deltas.push(...this.#show(this.#take(at)));
      this.#take(mark.length);
      enter();
      return true;
    }
    deltas.push(...this.#show(this.#take(this.#held.length - heldBack(this.#held, [mark]))));
    return false;
  }

  #enterReasoning({ begin }: ReasoningFormat): boolean {
    this.#take(begin.length);
    this.#state = 'reasoning';
    return true;
  }

  #enterContent(): void {
    this.#state = 'content';
  }

  #enterCall(format: ToolCallFormat): void {
    const index = this.#calls++;
    this.#call = new CallScanner(format, index, this.#options.callId(index));
    this.#state = 'call';
    this.#begun = true;
  }

  /** No call comes any more: content has begun, or begins here. */
  #isContentAlone({ opener }: ToolCallFormat): boolean {
    if (this.#options.callsOrContent !== true || this.#calls > 0) return false;
    return this.#begun || !(this.#held.startsWith(opener) || opener.startsWith(this.#held));
  }

  #showAll(deltas: OutputDelta[]): boolean {
    deltas.push(...this.#show(this.#take(this.#held.length)));
    return false;
  }

  /** Before any content where the model thinks, and behind a call. */
  #dropBlanks(): void {
    const { reasoning } = this.#options;
    const free = this.#begun ? this.#calls > 0 && this.#call !== null : reasoning !== null;
    if (free) this.#held = this.#held.trimStart();
  }

  #take(length: number): string {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return taken;
  }

  #show(text: string): OutputDelta[] {
    if (text === '') return [];
    if (this.#state === 'reasoning') return [{ type: 'reasoning', text }];
    this.#begun = true;
    this.#call = null;
    return [{ type: 'content', text }];
  }
}
