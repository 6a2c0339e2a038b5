import {
  allows,
  buildVocabulary,
  ConstraintCompiler,
  ConstraintError,
  maskWords,
  type Machine,
} from '@epd/constraint';
import type { SchemaCase } from './schema-case.ts';
import { longestTokens } from './gpt2-vocabulary.ts';

export interface MaskSpeed {
  passed: number;
  /** By the keyword that says so. */
  readonly refused: Record<string, number>;
  /** Invalid documents that could be written to their end. */
  letThrough: number;
  /** Valid documents that could not. */
  missed: number;
  /** Compiling and the first mask, per schema. Milliseconds, as all here. */
  readonly firstMaskMs: number[];
  /** Accepting a token and making the next mask. */
  readonly maskMs: number[];
}

/** Writes documents token by token: each token has to be in the mask before it is accepted. */
export function maskSpeed(cases: readonly SchemaCase[], vocabulary: Uint8Array[]): MaskSpeed {
  const run = new Run(vocabulary);
  for (const each of cases) run.take(each);
  return run.found;
}

class Run {
  readonly found: MaskSpeed = {
    passed: 0,
    refused: {},
    letThrough: 0,
    missed: 0,
    firstMaskMs: [],
    maskMs: [],
  };
  readonly #compiler: ConstraintCompiler;
  readonly #vocabulary: readonly Uint8Array[];
  readonly #tokens: (text: string) => number[];
  readonly #mask: Uint32Array;

  constructor(vocabulary: Uint8Array[]) {
    this.#vocabulary = vocabulary;
    this.#compiler = new ConstraintCompiler(buildVocabulary(vocabulary));
    this.#tokens = longestTokens(vocabulary);
    this.#mask = new Uint32Array(maskWords(vocabulary.length));
  }

  take({ schema, tests }: SchemaCase): void {
    const machine = this.#compile(schema);
    if (machine === null) return;
    let right = true;
    for (const { valid, data } of tests) {
      const written = this.#write(machine, JSON.stringify(data));
      if (written && !valid) this.found.letThrough++;
      if (!written && valid) this.found.missed++;
      right &&= written === valid;
    }
    if (right) this.found.passed++;
  }

  #compile(schema: unknown): Machine | null {
    const startedAt = performance.now();
    try {
      const machine = this.#compiler.compile({ type: 'json', schema, ordered: false });
      machine.fillMask(machine.start, this.#mask);
      this.found.firstMaskMs.push(performance.now() - startedAt);
      return machine;
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      const reason = error.keyword ?? error.code;
      this.found.refused[reason] = (this.found.refused[reason] ?? 0) + 1;
      return null;
    }
  }

  #write(machine: Machine, text: string): boolean {
    let state = machine.start;
    machine.fillMask(state, this.#mask);
    for (const id of this.#tokens(text)) {
      if (!allows(this.#mask, id)) return false;
      const startedAt = performance.now();
      state = machine.accept(state, this.#vocabulary[id] ?? new Uint8Array());
      machine.fillMask(state, this.#mask);
      this.found.maskMs.push(performance.now() - startedAt);
    }
    return machine.isDone(state);
  }
}
