import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 150;
const REQUEST_MS = 15_000;

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** Requests that failed or were answered with `Retry-After` before this one. */
  readonly retries: number;
}

/** Called for every answer that no client should get, also for those that a retry would cure. */
export type OnRefusal = (what: string) => void;

/** Asks replicas in turn until one answers with something other than "try again". */
export async function askAny(
  urls: readonly string[],
  path: string,
  options: {
    readonly first?: number;
    readonly method?: string;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly withinMs: number;
    readonly onRefusal?: OnRefusal;
  },
): Promise<Answer> {
  const endMs = performance.now() + options.withinMs;
  for (let retries = 0; ; retries += 1) {
    const url = urls[((options.first ?? 0) + retries) % urls.length] ?? '';
    const answer = await askOnce(`${url}${path}`, options);
    if (answer !== null && isDefect(answer))
      options.onRefusal?.(`${path} answered ${answer.status}`);
    if (answer !== null && !isTransient(answer.status)) {
      return { status: answer.status, body: answer.body, retries };
    }
    if (performance.now() > endMs) {
      throw new Error(
        `${path}: no answer within ${options.withinMs} ms (${answer?.status ?? 'no reply'})`,
      );
    }
    await sleep(RETRY_MS);
  }
}

async function askOnce(
  url: string,
  {
    method = 'GET',
    body,
    headers = {},
  }: { method?: string; body?: string; headers?: Readonly<Record<string, string>> },
): Promise<(Omit<Answer, 'retries'> & { readonly comeBack: boolean }) | null> {
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const { status } = response;
    const comeBack = response.headers.has('retry-after');
    return { status, comeBack, body: (await response.json()) as Record<string, unknown> };
  } catch {
    return null; // a replica that is being killed, or hangs
  }
}

/** A fleet under faults may answer that it is unavailable, with `Retry-After`; every other 5xx is a defect. */
const isDefect = ({ status, comeBack }: { status: number; comeBack: boolean }): boolean =>
  status >= 500 && !(status === 503 && comeBack);

/** 429 and 503 ask to be repeated; other 5xx are answers, and wrong ones. */
const isTransient = (status: number): boolean => status === 429 || status === 503;
