/** A prompt that exceeded the limits of its thread. Another worker would not succeed either. */
export class PromptFailedError extends Error {
  override readonly name = 'PromptFailedError';
  readonly code: 'prompt_timeout' | 'prompt_failed';

  constructor(code: PromptFailedError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
