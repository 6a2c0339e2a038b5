/**
 * The process's wall clock, off by so much while `work` runs; its steady one says that `passedMs` have
 * passed. For tests that run by themselves (`serial`).
 */
export async function withClock<R>(
  offsetMs: number,
  work: () => Promise<R>,
  passedMs = 0,
): Promise<R> {
  const wall = Date.now;
  const steady = performance.now.bind(performance);
  Date.now = () => wall() + offsetMs;
  performance.now = () => steady() + passedMs;
  try {
    return await work();
  } finally {
    Date.now = wall;
    performance.now = steady;
  }
}
