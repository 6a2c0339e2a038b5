import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';

export const KEY = 'a-key-for-trying-it';
const PICTURE = projectPath('ops/local/demo.png');
const QUESTION = 'What does the image show?';
/** Answers that, so many of so many tokens at once, outlast the stop of a worker. */
const LONG = { n: 8, max_tokens: 900, ignore_eos: true };

interface Job {
  readonly id: string;
  readonly status: string;
  readonly output?: { readonly text: string } | null;
}

/** The answer to a question about the demo's picture. */
export function ask(url: string): Promise<Job> {
  return submit(url, { max_tokens: 32 }, 'wait=30');
}

/** The same question, with answers that nobody waits for. */
export function submitLong(url: string): Promise<Job> {
  return submit(url, LONG, '');
}

export function read(url: string, id: string): Promise<Job> {
  return call(`${url}/v1/jobs/${id}`, '');
}

async function submit(url: string, sampling: object, prefer: string): Promise<Job> {
  const image = `data:image/png;base64,${(await readFile(PICTURE)).toString('base64')}`;
  const content = [
    { type: 'image_url', image_url: { url: image } },
    { type: 'text', text: QUESTION },
  ];
  const messages = [{ role: 'user', content }];
  return call(`${url}/v1/jobs`, prefer, { messages, temperature: 0, ...sampling });
}

async function call(url: string, prefer: string, body?: object): Promise<Job> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, prefer },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Job;
}
