import { broken, goldenCases, pictureOf, withNonce } from '../plans/golden.ts';
import { isLong, type PlannedJob } from '../plans/plan.ts';

/** Tokens of an answer that is made longer than it would be. */
const LONG_TOKENS = 400;
/** So short that some of these jobs expire and some do not. */
const DEADLINE_S = 2;

/** What a client sends for the planned job. */
export function jobBody(job: PlannedJob): Record<string, unknown> {
  const golden = goldenCases[job.case];
  if (golden === undefined) throw new RangeError(`No golden case ${job.case}`);
  const images = golden.images.map((name) => imagePart(job, name));
  const long = isLong(job.kind);
  return {
    messages: [{ role: 'user', content: [...images, { type: 'text', text: golden.question }] }],
    temperature: 0,
    return_token_ids: true,
    max_tokens: long ? LONG_TOKENS : 128,
    ...(long ? { ignore_eos: true } : {}),
    ...(job.kind === 'deadline' ? deadline(job) : {}),
  };
}

function deadline({ roll }: PlannedJob): Record<string, number> {
  return roll % 2 === 0 ? { start_within_s: DEADLINE_S } : { finish_within_s: DEADLINE_S };
}

function imagePart(job: PlannedJob, name: string): Record<string, unknown> {
  const png = pictureOf(name);
  const file =
    job.nonce === null
      ? png
      : job.kind === 'broken'
        ? broken(png, job.nonce)
        : withNonce(png, job.nonce);
  return {
    type: 'image_url',
    image_url: { url: `data:image/png;base64,${file.toString('base64')}` },
  };
}
