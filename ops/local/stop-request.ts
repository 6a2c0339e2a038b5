/** npm, its shell and the terminal may each pass the same Ctrl-C on: those are one. */
const SAME_REQUEST_MS = 1_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopRequest {
  /** Aborted when this process is asked to stop, or when its parent has ended. */
  readonly signal: AbortSignal;
  /** Resolves then. */
  readonly asked: Promise<void>;
  /** Gives the signals back to Node, so that the process can end. */
  dispose(): void;
}

/** `onImpatience` is called when the request is repeated: somebody does not want to wait. */
export function stopRequest(onImpatience: () => void): StopRequest {
  const abort = new AbortController();
  const asked = Promise.withResolvers<void>();
  let firstMs = 0;
  const ask = (): void => {
    if (abort.signal.aborted) {
      if (performance.now() - firstMs > SAME_REQUEST_MS) onImpatience();
      return;
    }
    firstMs = performance.now();
    abort.abort();
    asked.resolve();
  };
  for (const name of SIGNALS) process.on(name, ask);
  process.on('disconnect', ask);
  return {
    signal: abort.signal,
    asked: asked.promise,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, ask);
      process.off('disconnect', ask);
      // The channel to the starter would keep this process alive.
      if (process.connected) process.disconnect();
    },
  };
}
