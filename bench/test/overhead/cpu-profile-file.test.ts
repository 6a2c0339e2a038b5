import test from 'ava';
import { timesWithin, type CpuProfile } from '../../src/overhead/cpu-profile-file.ts';
import { partOf } from '../../src/overhead/part-of.ts';

const frame = (functionName: string, url = '') => ({ functionName, url });

/** `send` of ioredis calls a native function; samples are a millisecond apart and begin at 5,000 µs. */
const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 5] },
    { id: 2, callFrame: frame('(idle)') },
    {
      id: 3,
      callFrame: frame('send', 'file:///app/node_modules/ioredis/built/Redis.js'),
      children: [4],
    },
    { id: 4, callFrame: frame('writev') },
    { id: 5, callFrame: frame('(garbage collector)') },
  ],
  startTime: 4_000,
  samples: [3, 4, 2, 5, 3],
  timeDeltas: [1_000, 1_000, 1_000, 1_000, 1_000],
};

test('time is split by part; native functions count for their caller, and idle time for nobody', (t) => {
  const times = timesWithin([PROFILE], [0, 100_000]);
  t.deepEqual(
    [...times],
    [
      ['ioredis', 2],
      ['garbage collection', 1],
    ],
  );
});

test('what lies outside of the window does not count, and profiles add up', (t) => {
  t.deepEqual([...timesWithin([PROFILE, PROFILE], [6_000, 8_000])], [['ioredis', 2]]);
});

const part = (url: string, name = 'f'): string | null => partOf(frame(name, url), null);

test('parts are packages, modules of Node and folders of ours', (t) => {
  t.is(part('file:///app/node_modules/@scope/name/node_modules/inner/a.js'), 'inner');
  t.is(part('file:///app/node_modules/@aws-sdk/client-s3/a.js'), '@aws-sdk/client-s3');
  t.is(part('file:///app/node_modules/onnxruntime-node/dist/backend.js'), 'ONNX Runtime');
  t.is(part('node:internal/fs/promises'), 'node:fs');
  t.is(part('file:///app/libs/jobs/src/redis-job-store.ts'), 'libs/jobs');
  t.is(part('file:///app/api/src/core/accept/acceptor.ts', 'constructor'), 'api/core/accept');
});
