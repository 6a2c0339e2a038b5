import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { eventually } from '@epd/service/testing';

const PICTURES = ['00-0', '01-0', '02-0', '03-0'];

/**
 * A little of everything: texts, pictures, one picture in two requests at once, one that is stored
 * already, a prompt whose beginning is in the KV cache, a request that is refused, one that is
 * cancelled, and a client that listens.
 */
export async function someLoad(url: string): Promise<void> {
  const texts = [1, 2, 3].map((count) => answered(url, [text(`Count to ${count}.`)]));
  const images = await Promise.all(PICTURES.map(picture));
  const shown = [...images, images[0]!].map((image) =>
    answered(url, [image, text('What is this?')]),
  );
  const refused = submit(url, { messages: 'none' });
  const cancelled = cancelledJob(url);
  await Promise.all([...texts, ...shown, refused, cancelled]);
  await answered(url, [images[1]!, text('What is this?')]);
  await answered(url, [images[1]!, text('And what colour has it?')]);
  // Not where the KV cache has it, so that its embedding is looked for and found.
  await answered(url, [text('Look at this again, closely.'), images[1]!]);
}

/** A question about a picture that nobody waits for. */
export async function askedLater(url: string): Promise<void> {
  await submit(url, request([await picture(PICTURES[0]!), text('What is this?')]));
}

interface Job {
  readonly id: string;
  readonly status: string;
}

async function answered(url: string, content: readonly object[]): Promise<void> {
  const { id } = await submit(url, request(content));
  // Reading the stream to its end is a wait for the job's.
  await (await fetch(`${url}/v1/jobs/${id}/events`)).text();
  await eventually(async () => {
    const job = (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as Job;
    return !['queued', 'in_progress'].includes(job.status);
  });
}

async function cancelledJob(url: string): Promise<void> {
  const { id } = await submit(url, { ...request([text('Go on.')]), max_tokens: 200 });
  await fetch(`${url}/v1/jobs/${id}/cancel`, { method: 'POST' });
}

async function submit(url: string, body: object): Promise<Job> {
  const response = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Job;
}

function request(content: readonly object[]): object {
  return { messages: [{ role: 'user', content }], max_tokens: 12, temperature: 0 };
}

function text(words: string): object {
  return { type: 'text', text: words };
}

async function picture(name: string): Promise<object> {
  const bytes = await readFile(projectPath(`models/tiny-vlm/golden/${name}.png`));
  const url = `data:image/png;base64,${bytes.toString('base64')}`;
  return { type: 'image_url', image_url: { url } };
}
