import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, tempFolder } from '@epd/service/testing';
import test from 'ava';
import { BenchFleet, ROLES } from '../../src/fleet/fleet.ts';
import { makePictures } from '../../src/pictures.ts';
import type { Question } from '../../src/question.ts';

const MODEL = join(import.meta.dirname, '../../../models/tiny-vlm');

interface GoldenCase {
  readonly images: readonly string[];
  readonly question: string;
  readonly token_ids: readonly number[];
}

const cases = JSON.parse(
  readFileSync(join(MODEL, 'golden/cases.json'), 'utf8'),
) as readonly GoldenCase[];
const golden = cases.find(({ images }) => images.length === 1);

const goldenQuestion = ({ images, question }: GoldenCase): Question => ({
  parts: [
    ...images.map((name) => {
      const path = join(MODEL, 'golden', name);
      const dataUri = `data:image/png;base64,${readFileSync(path, 'base64')}`;
      return { image: { path, dataUri } };
    }),
    { text: question },
  ],
  maxTokens: 32,
  ignoreEos: false,
});

let fleet: BenchFleet;
let pids: number[] = [];

test.before(async () => {
  fleet = await BenchFleet.start({ modelDir: MODEL });
  pids = ROLES.map((role) => fleet.pid(role));
});
test.after.always(() => fleet.stop());

test.serial('the fleet answers as its clients see it, and reports its times', async (t) => {
  if (golden === undefined) throw new Error('There is no golden case with one image');
  const { id, answer } = await fleet.client.askJob(goldenQuestion(golden));
  t.deepEqual(answer.tokenIds, golden.token_ids);
  t.true(answer.submittedMs < (answer.tokenMs[0] ?? 0));
  t.true((answer.tokenMs.at(-1) ?? Infinity) <= answer.endedMs);
  const stored = await fleet.client.storedMs(id);
  t.true(stored !== null && stored > 0);
  t.is((await fleet.client.record(id)).status, 'completed');
  const refused = fleet.client.ask({ parts: [{ text: 'x' }], maxTokens: 0, ignoreEos: false });
  await t.throwsAsync(refused, { message: /was answered 400/ });
});

test.serial('a process that dies ends the measurement, with what it wrote last', async (t) => {
  const [image] = await makePictures({
    drawings: join(MODEL, 'golden'),
    folder: await tempFolder(t),
    size: 128,
    count: 1,
    seed: 5,
  });
  if (image === undefined) throw new Error('There is no picture');
  process.kill(fleet.pid('encoder'), 'SIGSTOP');
  const asked = fleet.client.ask({
    parts: [{ image }, { text: 'What?' }],
    maxTokens: 4,
    ignoreEos: false,
  });
  const failed = t.throwsAsync(asked, {
    message: /encoder-1 ended during the measurement \(SIGKILL\)/,
  });
  process.kill(fleet.pid('encoder'), 'SIGKILL');
  await failed;
});

test.serial('a fleet that is stopped leaves nothing behind', async (t) => {
  await fleet.stop();
  t.false(existsSync(fleet.folder));
  await eventually(() => pids.every((pid) => !existsSync(`/proc/${pid}`)));
});
