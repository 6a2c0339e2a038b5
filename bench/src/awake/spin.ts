/** Takes what nobody else wants of a core, until the process that started it is gone. */
const SLICE_MS = 20;

process.once('disconnect', () => process.exit());

function spin(): void {
  const until = performance.now() + SLICE_MS;
  while (performance.now() < until);
  setImmediate(spin);
}

spin();
