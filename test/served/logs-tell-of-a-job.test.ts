import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { sharedFleet } from '../helpers/shared-fleet.ts';
import { goldenCases, goldenJob } from '../helpers/golden.ts';
import { ended } from '../helpers/jobs.ts';

type Line = Readonly<Record<string, unknown>>;

/** Every line of every process, but for one that is being written. Throws on one that is not JSON. */
async function logged(folder: string): Promise<Line[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.log'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').slice(0, -1));
  return lines.map((line) => JSON.parse(line) as Line);
}

test('logs tell where a job was, by its ids, and nothing that was asked', async (t) => {
  const fleet = await sharedFleet(t);
  const golden = goldenCases.find(({ images }) => images.length === 1)!;
  const body = { ...goldenJob(golden), metadata: { note: 'a note of the caller' } };
  const response = await fetch(`${fleet.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { id } = (await response.json()) as { id: string };
  const { output } = await ended(fleet.url, id);
  // The worker's last word comes after the job's end.
  const lines = await eventually(async () => {
    const read = await logged(fleet.folder);
    return read.some(({ msg, job }) => msg === 'released' && job === id) && read;
  });
  const accepted = lines.find(({ msg, job }) => msg === 'accepted' && job === id)!;
  t.like(accepted, { service: 'api', job: id, request: response.headers.get('x-request-id') });
  const [mmHash] = accepted['mmHash'] as string[];
  t.truthy(lines.find(({ msg, ...line }) => msg === 'encoded' && line['mmHash'] === mmHash));
  const worker = lines.filter(({ service }) => service === 'prefill-decode');
  t.deepEqual(
    worker.filter(({ job }) => job === id).map(({ msg }) => msg),
    ['claimed', 'released'],
  );
  const all = JSON.stringify(lines);
  for (const said of [golden.question, output?.text, 'a note of the caller', 'base64']) {
    t.truthy(said);
    t.false(all.includes(said!), said);
  }
});
