/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
/** The API as the pages need it. */
import { storedKey } from './key.js';

/** An error answer; `status` 401 means that a key is wanted. */
class ApiError extends Error {
  /** `key`: the one that the request came with. */
  constructor(status, message, key) {
    super(message);
    this.status = status;
    this.key = key;
  }
}

export async function call(path, { method = 'GET', body } = {}) {
  const response = await request(path, { method, body });
  return response.json();
}

export async function bytes(path) {
  return (await request(path)).blob();
}

/** The events of a job from its beginning until its end; goes on by itself where a connection breaks. */
export async function* follow(job, signal) {
  let after = 0;
  for (;;) {
    try {
      for await (const event of events(`${job.links.events}?starting_after=${after}`, signal)) {
        after = event.seq;
        yield event;
        if (event.type === 'end') return;
      }
    } catch (error) {
      if (signal.aborted || error instanceof ApiError) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function request(path, { method = 'GET', body, signal } = {}) {
  const key = storedKey();
  const response = await reached(path, {
    method,
    signal,
    headers: {
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(key ? { authorization: `Bearer ${key}` } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new ApiError(
    response.status,
    answer.error?.message ?? `The API answered ${response.status}`,
    key,
  );
}

/** Browsers say no more than that it failed. */
async function reached(path, options) {
  try {
    return await fetch(path, options);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new Error(`The fleet does not answer at ${location.host}. Is it still running?`, {
      cause,
    });
  }
}

async function* events(path, signal) {
  const response = await request(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const frames = text.split('\n\n');
    text = frames.pop();
    for (const frame of frames) {
      const data = frame.split('\n').find((line) => line.startsWith('data: '));
      if (data) yield JSON.parse(data.slice('data: '.length));
    }
  }
}
