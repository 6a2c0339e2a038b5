import { Fleet } from './fleet.ts';
import type { FleetOptions } from './fleet-options.ts';
import { stopRequest } from './stop-request.ts';

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Starts a fleet, does `work`, stops the fleet; a stop request cuts either short. Sets the exit code:
 * 0 on success or when asked to stop, else 1 with the reason on standard error.
 */
export async function withFleet(
  options: FleetOptions,
  work: (
    fleet: Fleet,
    stop: { readonly signal: AbortSignal; readonly asked: Promise<void> },
  ) => Promise<boolean>,
): Promise<void> {
  const fleet = new Fleet(options, say);
  const stop = stopRequest(() => {
    say('Ending everything at once.');
    fleet.kill();
  });
  try {
    await fleet.start(stop.signal);
    if (!(await work(fleet, stop))) process.exitCode = 1;
  } catch (error) {
    if (!stop.signal.aborted) complain(error);
  } finally {
    // A start that was refused has nothing to stop; saying so would read as if another fleet had been.
    const ran = fleet.hasProcesses;
    if (ran) say('Stopping …');
    await fleet.stop();
    stop.dispose();
    if (ran) say('Stopped; nothing is left running.');
  }
}

/** One message for people; the stack only for unexpected errors. */
export function complain(error: unknown): void {
  const known =
    error instanceof Error && ('code' in error || error.message.includes('\n') || error.cause);
  const text = error instanceof Error ? (known ? error.message : error.stack) : String(error);
  process.stderr.write(`\n${text}\n\n`);
  process.exitCode = 1;
}
