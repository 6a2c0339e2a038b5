import { eventually, otlpCollector } from '@epd/service/testing';
import test from 'ava';
import { startFleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask } from './helpers/jobs.ts';

const SPANS = [
  'accept job',
  'wait for an encoder',
  'preprocess',
  'encode',
  'save',
  'encode image',
  'queue',
  'load',
  'prefill',
  'decode',
];

test.serial(
  'a question about a picture is one trace, from the door to the last token',
  async (t) => {
    t.timeout(90_000);
    const collector = await otlpCollector(t);
    const fleet = await startFleet(t, { env: { EPD_OTLP_ENDPOINT: collector.url } });
    const golden = goldenCases.find(({ images }) => images.length === 1)!;
    t.is((await ask(fleet.url, goldenJob(golden))).status, 'completed');
    const names = () => new Set(collector.spans().map(({ name }) => name));
    await eventually(() => SPANS.every((name) => names().has(name)));
    t.is(new Set(collector.spans().map(({ traceId }) => traceId)).size, 1);
    t.notRegex(JSON.stringify(collector.bodies), new RegExp(golden.question.slice(0, 12)));
  },
);
