import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { KeptAwake } from '../../src/awake/keep-awake.ts';

/** Where `/proc/PID/stat` tells the scheduling class, counted behind the program's name; 5 is idle's. */
const POLICY = 38;
const IDLE_POLICY = 5;

test('what keeps a core awake runs in the class that gives way, and ends with it', async (t) => {
  const awake = KeptAwake.start(1);
  if (awake === null) {
    t.pass('no such class here');
    return;
  }
  const [pid = 0] = awake.pids;
  try {
    t.is(await policyOf(pid), IDLE_POLICY);
  } finally {
    awake[Symbol.dispose]();
  }
  await t.notThrowsAsync(gone(pid));
});

/** The class is set before the program is begun. */
async function policyOf(pid: number): Promise<number> {
  for (let left = 200; left > 0; left--) {
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const policy = Number(rest.split(' ')[POLICY]);
    if (policy === IDLE_POLICY) return policy;
    await sleep(10);
  }
  return -1;
}

async function gone(pid: number): Promise<void> {
  for (let left = 500; left > 0; left--) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(10);
  }
  throw new Error(`${pid} is still there`);
}
