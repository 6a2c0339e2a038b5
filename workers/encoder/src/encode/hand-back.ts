/** The item is not ours to finish: it goes back to the queue. No failure of the item. */
export class HandBack extends Error {
  override readonly name = 'HandBack';
  /** How long nobody should take it up, in milliseconds. */
  readonly delayMs: number;

  constructor(message: string, delayMs = 0, options?: ErrorOptions) {
    super(message, options);
    this.delayMs = delayMs;
  }
}

/** What the work gives, or `HandBack` once the signal is aborted; the work goes on unwatched. */
export function orHandBack<R>(work: Promise<R>, signal: AbortSignal): Promise<R> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(new HandBack('The encoder stops'));
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
