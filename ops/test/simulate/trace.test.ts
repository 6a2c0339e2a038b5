import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { generateTrace, imageBursts } from '../../simulate/generate-trace.ts';
import { multiplyLoad } from '../../simulate/load.ts';
import { formatTrace, parseTrace } from '../../simulate/trace.ts';

test('the shipped trace is what its seed makes', async (t) => {
  const shipped = await readFile(projectPath('ops/simulate/traces/image-bursts.csv'), 'utf8');
  t.is(shipped, formatTrace(generateTrace(imageBursts)));
});

test('a trace survives being written and read', (t) => {
  const trace = generateTrace({ ...imageBursts, seed: 3, seconds: 20 });
  t.deepEqual(parseTrace(formatTrace(trace)), trace);
});

test('images come in bursts, texts do not', (t) => {
  const { burstEverySeconds, burstSeconds } = imageBursts;
  const inBurst = (atMs: number): boolean => {
    const since = atMs / 1000 - burstEverySeconds / 2;
    return since >= 0 && since % burstEverySeconds < burstSeconds;
  };
  const trace = generateTrace(imageBursts);
  const share = (requests: typeof trace): number =>
    requests.filter(({ atMs }) => inBurst(atMs)).length / requests.length;
  t.true(share(trace.filter(({ images }) => images.length > 0)) > 0.7);
  t.true(share(trace.filter(({ images }) => images.length === 0)) < 0.3);
});

test('lines in any order are taken by time; a line that is none is named', (t) => {
  const header = 'at_ms,images,image_tokens,prompt_tokens,output_tokens';
  const trace = parseTrace(`${header}\n30,a b,64,5,2\r\n10,,0,5,2\n\n`);
  t.deepEqual(
    trace.map(({ atMs, images }) => [atMs, images]),
    [
      [10, []],
      [30, ['a', 'b']],
    ],
  );
  t.throws(() => parseTrace(`${header}\n1,,0,5,2\n2,,0,five,2\n`), { message: /Line 3/ });
  t.throws(() => parseTrace('a,b\n1,2\n'), { message: /begins with/ });
});

test('more load is more of the same', (t) => {
  const trace = generateTrace({ ...imageBursts, seconds: 200 });
  const doubled = multiplyLoad(trace, 2);
  t.is(doubled.length, 2 * trace.length);
  const half = multiplyLoad(trace, 1.5);
  t.true(half.length > 1.4 * trace.length && half.length < 1.6 * trace.length);
  t.deepEqual(half, multiplyLoad(trace, 1.5));
});
