import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import { parseStageTimes } from '../../simulate/stage-times.ts';
import { run } from '../../tools/run.ts';

const MAIN = projectPath('ops/simulate/main.ts');
const simulate = (...options: string[]): Promise<string> =>
  run(process.execPath, [MAIN, ...options]);

test('the shipped trace is compared in three fleets, answered and plotted', async (t) => {
  const svg = join(await tempFolder(t), 'plot.svg');
  const output = await simulate('--svg', svg);
  for (const strategy of ['monolith, scaled whole', 'fixed ', 'E and PD, each scaled']) {
    t.true(output.includes(strategy), strategy);
  }
  t.regex(output, /a fixed fleet needs/);
  t.regex(output, /measured by: /);
  const plot = await readFile(svg, 'utf8');
  t.regex(plot, /^<svg .*<\/svg>$/s);
  t.false(/NaN|Infinity|undefined/.test(plot));
});

test("a trace and a fleet of the user's own are taken", async (t) => {
  const folder = await tempFolder(t);
  const trace = join(folder, 'trace.csv');
  await writeFile(
    trace,
    'at_ms,images,image_tokens,prompt_tokens,output_tokens\n0,,64,9,2\n5,a,64,9,2\n',
  );
  const output = await simulate(
    '--trace',
    trace,
    '--load',
    '1',
    '--fixed',
    '3:4',
    '--svg',
    join(folder, 'p.svg'),
  );
  t.regex(output, /^2 requests \(1 of text alone\)/);
  t.regex(output, /fixed 3:4/);
});

test('options that cannot be read are named', async (t) => {
  await t.throwsAsync(simulate('--fixed', 'two'), { message: /--fixed must be two numbers/ });
  await t.throwsAsync(simulate('--load', 'x'), { message: /--load must be a number/ });
});

test('the shipped stage times say how they were measured', async (t) => {
  const path = projectPath('ops/simulate/times/tiny-vlm-cpu.json');
  const times = parseStageTimes(await readFile(path, 'utf8'));
  t.regex(times.measuredBy, /ops\/simulate\/measure\.ts/);
  t.throws(() => parseStageTimes('{"model":"x"}'), { message: /Not stage times/ });
});
