import { stripVTControlCharacters } from 'node:util';

export interface TestCount {
  readonly passed: number;
  readonly failed: number;
}

const PASS = /^ *[✔√] /;
/** A failed test, and whatever else ava marks so: an exception, a file without tests, a crash. */
const FAIL = /^ *[✘×] /;
const PENDING = /^ *(\d+) tests? remained pending/;

/**
 * Counts tests out of ava's report as it passes by. A run that ends badly counts at least one
 * failure, whatever its report says, and so does one in which nothing was tested.
 */
export class TestCounter {
  #passed = 0;
  #failed = 0;
  #rest = '';

  read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#count(stripVTControlCharacters(line));
  }

  end(exitCode: number | null): TestCount {
    this.#count(stripVTControlCharacters(this.#rest));
    const wrong = exitCode !== 0 || this.#passed === 0;
    return { passed: this.#passed, failed: wrong ? Math.max(this.#failed, 1) : this.#failed };
  }

  #count(line: string): void {
    if (PASS.test(line)) this.#passed += 1;
    else if (FAIL.test(line)) this.#failed += 1;
    else this.#failed += Number(PENDING.exec(line)?.[1] ?? 0);
  }
}
