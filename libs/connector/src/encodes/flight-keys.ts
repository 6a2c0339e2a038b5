/** The flight and its waiters. The braces keep a flight's keys on one node of a Redis cluster. */
export function flightKeys(prefix: string, mmHash: string): string[] {
  const flight = `${prefix}:flight:{${mmHash}}`;
  return [flight, `${flight}:waiters`];
}
