import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { debianPackages } from '../../tools/debian.ts';
import { choose, READY_WITHIN_MS, services, type Fault } from './fault.ts';

const HOUR_OFFSETS = ['+3600', '-3600', '+45', '-45'] as const;

/** One process runs for a while with its wall clock wrong; the monotonic one stays right, as it would. */
export const clock: Fault = async ({ world, fault }) => {
  const library = await fakeTime();
  if (library === null) return 'no clock was changed: libfaketime cannot be had here';
  const target = choose(services(world), fault.roll);
  const offset = choose(HOUR_OFFSETS, Math.floor(fault.roll / 10));
  target.setEnvironment({
    LD_PRELOAD: library,
    FAKETIME: offset,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  });
  await target.restart();
  await sleep(500);
  await world.ready(READY_WITHIN_MS);
  await sleep(fault.forMs);
  target.setEnvironment({});
  await target.restart();
  return `clock of ${target.name} off by ${offset} s for ${fault.forMs} ms`;
};

async function fakeTime(): Promise<string | null> {
  try {
    const folder = await debianPackages('faketime', ['libfaketime']);
    const files = await readdir(folder, { recursive: true });
    const library = files.find((file) => file.endsWith('libfaketime.so.1'));
    return library === undefined ? null : join(folder, library);
  } catch {
    return null;
  }
}
