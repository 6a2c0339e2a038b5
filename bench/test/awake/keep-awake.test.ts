import { readFileSync } from 'node:fs';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { KeptAwake } from '../../src/awake/keep-awake.ts';

/** Where `/proc/PID/stat` tells the scheduling class, counted behind the program's name; 5 is idle's. */
const POLICY = 38;
const IDLE_POLICY = 5;

test('what keeps a core awake runs in the idle class, and ends with it', async (t) => {
  const awake = KeptAwake.start(1);
  if (awake === null) {
    t.pass('no such class here');
    return;
  }
  const [pid = 0] = awake.pids;
  try {
    await t.notThrowsAsync(eventually(() => policyOf(pid) === IDLE_POLICY));
  } finally {
    awake[Symbol.dispose]();
  }
  await t.notThrowsAsync(eventually(() => isGone(pid)));
});

/** Set before the program is begun, by that which starts it. */
function policyOf(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  return Number(rest.split(' ')[POLICY]);
}

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}
