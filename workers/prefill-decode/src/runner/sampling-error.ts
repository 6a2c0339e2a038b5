/** Nothing can be sampled for a sequence any more: its request ends, the others of the step continue. */
export class SamplingError extends Error {
  override readonly name: string = 'SamplingError';
  /** Stable: it becomes the job's error code. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The model's numbers overflowed, as those of half precision may: no token follows from them. */
export const notFinite = (): SamplingError =>
  new SamplingError('not_finite', 'The model computed no finite numbers for this request');
