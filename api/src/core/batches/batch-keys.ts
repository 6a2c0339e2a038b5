/** The Redis keys of one batch. */
export const batchKeys = (prefix: string, id: string) => ({
  record: `${prefix}:batch:${id}`,
  results: `${prefix}:batch:${id}:results`,
  lock: `${prefix}:batch:${id}:lock`,
});
