import { goldenCases, LONG_CASES } from './plans/golden.ts';
import { askAny } from './clients/http.ts';
import { jobBody } from './clients/job-body.ts';
import { isLong, type PlannedJob } from './plans/plan.ts';

const WITHIN_MS = 120_000;

export interface Expected {
  readonly tokens: readonly number[];
  readonly text: string;
}

/**
 * What a job must answer. The golden questions have the PyTorch reference's answers; those that go on
 * beyond their end are asked once before anything is broken, and must begin with the reference's.
 */
export class Reference {
  readonly #long = new Map<number, Expected>();

  async learn(urls: readonly string[]): Promise<void> {
    for (const index of LONG_CASES) this.#long.set(index, await this.#ask(urls, index));
  }

  of(job: PlannedJob): Expected {
    const golden = goldenCases[job.case];
    const expected = isLong(job.kind)
      ? this.#long.get(job.case)
      : golden && { tokens: golden.token_ids, text: golden.answer };
    if (expected === undefined) throw new RangeError(`Nothing is known of case ${job.case}`);
    return expected;
  }

  async #ask(urls: readonly string[], index: number): Promise<Expected> {
    const calm = {
      number: 0,
      kind: 'long',
      case: index,
      nonce: null,
      offsetMs: 0,
      roll: 0,
    } as const;
    const { body } = await askAny(urls, '/v1/jobs', {
      method: 'POST',
      body: JSON.stringify(jobBody(calm)),
      headers: { prefer: 'wait=10' },
      withinMs: WITHIN_MS,
    });
    let job = body;
    while (job['status'] === 'queued' || job['status'] === 'in_progress') {
      const options = { headers: { prefer: 'wait=10' }, withinMs: WITHIN_MS };
      job = (await askAny(urls, `/v1/jobs/${String(body['id'])}`, options)).body;
    }
    const output = job['output'] as { text: string; token_ids: number[] } | null;
    const golden = goldenCases[index]?.token_ids ?? [];
    if (output === null || !golden.every((id, at) => id === output.token_ids[at]))
      throw new Error(
        `Question ${index} is answered wrongly before anything is broken: ${JSON.stringify(job)}`,
      );
    return { tokens: output.token_ids, text: output.text };
  }
}
