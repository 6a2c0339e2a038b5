/** This encoder cannot finish the item: it returns to the queue. Not a failure of the item. */
export class HandBack extends Error {
  override readonly name = 'HandBack';
  /** Delay in milliseconds before it may be claimed again. */
  readonly delayMs: number;

  constructor(message: string, delayMs = 0, options?: ErrorOptions) {
    super(message, options);
    this.delayMs = delayMs;
  }
}

/**
 * The result of the work, or `HandBack` once the signal is aborted; the work continues unobserved.
 */
export function orHandBack<R>(work: Promise<R>, signal: AbortSignal): Promise<R> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(new HandBack('the encoder is stopping'));
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
