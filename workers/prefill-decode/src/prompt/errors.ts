/** A prompt that took more than its thread may take. Another worker would fare no better. */
export class PromptFailedError extends Error {
  override readonly name = 'PromptFailedError';
  readonly code: 'prompt_timeout' | 'prompt_failed';

  constructor(code: PromptFailedError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
