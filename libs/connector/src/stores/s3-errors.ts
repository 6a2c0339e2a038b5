/** HTTP status behind an error of the SDK; undefined when no reply came. */
export function statusOf(error: unknown): number | undefined {
  const metadata = isObject(error) ? error['$metadata'] : undefined;
  const status = isObject(metadata) ? metadata['httpStatusCode'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
