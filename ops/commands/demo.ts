/** `npm run demo`: the fleet, two questions about a bundled picture, what they show, and how to go on from there. */
import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { DemoScreen } from '../local/demo-screen.ts';
import { FLEET_USAGE, fleetOptions } from '../local/fleet-options.ts';
import { ask, type FinishedJob } from '../local/question.ts';
import { shown } from '../local/shown-path.ts';
import { whatWasShown } from '../local/what-was-shown.ts';
import { summary } from '../local/summary.ts';
import { complain, say, withFleet } from '../local/with-fleet.ts';

const PICTURE = projectPath('ops/local/demo.png');
const QUESTIONS = ['What does the image show?', 'Name this.'] as const;
/** Far more than the small model needs, and an end for a job that no worker claims. */
const ANSWER_WITHIN_MS = 180_000;

async function answered(url: string, question: string, signal: AbortSignal): Promise<FinishedJob> {
  say(`\nAsking about ${shown(PICTURE)}: ${question}\n`);
  const screen = new DemoScreen((text) => void process.stdout.write(text));
  const job = await ask(
    url,
    { picture: await readFile(PICTURE), mediaType: 'image/png', text: question },
    {
      onEvent: (event) => screen.show(event),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    },
  );
  screen.end(job);
  return job;
}

/** Through standard input, because a photograph is longer than an argument may be. */
function howToGoOn(url: string): string {
  const before =
    '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,';
  const after = '"}},{"type":"text","text":"What is this?"}]}]}';
  return [
    '',
    `Your own picture (here ${shown(PICTURE)} again, which is not encoded a second time):`,
    '',
    `  { printf '%s' '${before}'; base64 < ${shown(PICTURE)} | tr -d '\\n'; printf '%s' '${after}'; } | curl -s ${url}/v1/jobs -H 'content-type: application/json' -H 'prefer: wait=60' --data-binary @-`,
    '',
    'Without the `prefer` header it answers at once, and names the job; then, with its id:',
    '',
    `  curl -s ${url}/v1/jobs/ID          the job`,
    `  curl -sN ${url}/v1/jobs/ID/events  what happens, as it happens`,
    '',
    `All of the API: ${url}/docs`,
    '',
  ].join('\n');
}

async function demo(args: readonly string[]): Promise<void> {
  const options = fleetOptions(
    args.filter((arg) => arg !== '--exit'),
    process.env,
  );
  await withFleet(options, async (fleet, stop) => {
    const [url = ''] = fleet.urls;
    say(summary(fleet));
    const [about, again] = QUESTIONS;
    const first = await answered(url, about, stop.signal);
    const second = await answered(url, again, stop.signal);
    say(whatWasShown(first, second));
    const completed = [first, second].every(({ status }) => status === 'completed');
    if (args.includes('--exit')) return completed;
    say(`${howToGoOn(url)}\nThe fleet keeps running; Ctrl-C stops it. Open ${url}/`);
    await stop.asked;
    return completed;
  });
}

const flags = process.argv.slice(2);
if (flags.includes('--help') || flags.includes('-h')) {
  say(`npm run demo -- [flags]\n\n  --exit           stop after the answer\n${FLEET_USAGE}`);
} else {
  await demo(flags).catch(complain);
}
