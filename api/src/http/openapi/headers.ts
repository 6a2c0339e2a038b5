/** Headers that routes read, as their description shows them. */
export const HEADERS = {
  Prefer:
    '`wait=n`: the answer comes when the job has ended, or after n seconds, 300 at most; `wait` alone is 60.',
  'Idempotency-Key':
    'Makes a repetition safe: the same key with the same body is the same job, which `Idempotency-Replayed: true` ' +
    'says. 1 to 255 visible ASCII characters.',
  'Last-Event-ID': 'The id of the last event that was read: the stream resumes after it.',
} as const;

export type DescribedHeader = keyof typeof HEADERS;
