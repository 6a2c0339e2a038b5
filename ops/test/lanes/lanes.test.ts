import test from 'ava';
import { collector, type Declaration } from '../../lanes/collected.ts';
import { groupFiles } from '../../lanes/group-files.ts';
import { laneOf } from '../../lanes/lanes.ts';

test('what kills processes or wants large tools is not in the first lane', (t) => {
  t.is(laneOf('test/chaos-stuck.test.ts'), 'fleet');
  t.is(laneOf('ops/test/helm/chart.test.ts'), 'fleet');
  t.is(laneOf('test/served/one-trace.test.ts'), 'served');
  t.is(laneOf('test/workers-change.test.ts'), 'alone');
  t.is(laneOf('workers/prefill-decode/test/engine/kv/compaction.test.ts'), 'models');
  t.is(laneOf('workers/prefill-decode/test/engine/golden.test.ts'), 'alone');
  t.is(laneOf('libs/connector/test/keys.test.ts'), 'together');
});

test('groups hold every file once and are of about equal size', (t) => {
  const files = [9, 5, 4, 3, 3].map((bytes, index) => ({ path: `${index}.test.ts`, bytes }));
  t.deepEqual(groupFiles(files, 2), [
    ['0.test.ts', '3.test.ts'],
    ['1.test.ts', '2.test.ts', '4.test.ts'],
  ]);
  t.deepEqual(groupFiles(files.slice(0, 1), 3), [['0.test.ts']]);
});

test('a grouped file declares its tests under its own name, with the arguments of macros', (t) => {
  const declared: Declaration[] = [];
  const grouped = collector('a.test.ts', declared);
  const heard: unknown[] = [];
  grouped('plain', () => heard.push('plain'));
  grouped.serial('in turn', (_t: unknown, given: unknown) => heard.push(given), 7);
  const macro = grouped.macro({
    exec: (_t: unknown, given: unknown) => heard.push(given),
    title: (given = '', ...args: readonly unknown[]) => `${given} of ${args.join()}`,
  });
  grouped('macro', macro, 8);
  grouped.after.always(() => heard.push('after'));
  t.deepEqual(
    declared.map(({ kind, title }) => [kind, title]),
    [
      ['test', 'a.test.ts › plain'],
      ['serial', 'a.test.ts › in turn'],
      ['test', 'a.test.ts › macro of 8'],
      ['after', 'a.test.ts › after'],
    ],
  );
  for (const { run } of declared) run(t);
  t.deepEqual(heard, ['plain', 7, 8, 'after']);
});
