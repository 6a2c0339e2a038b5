import { MESSAGE_VERSION } from '@epd/connector';
import { UNREADABLE } from './errors.ts';
import { GREEDY } from './greedy.ts';
import type { Ending, JobRequest } from './job.ts';

/**
 * The ending of a job whose record is damaged: no worker can serve it, and no client may wait for
 * it.
 */
export const DAMAGED_ENDING: Ending = {
  status: 'failed',
  choices: [],
  usage: null,
  timings: {},
  error: {
    code: UNREADABLE,
    message: 'The record of the job is damaged; submit the job again',
    stage: 'prefill',
    item: null,
    retryable: true,
  },
};

export const endedAsDamaged = ({ error }: Ending): boolean => error?.code === UNREADABLE;

/**
 * The intact fields of such a job's record, so that a client that asks for it learns how it ended.
 */
export function soundFields(fields: Readonly<Record<string, string>>): Record<string, string> {
  const sound = Object.entries(fields).filter(
    ([name, value]) => !/^(metadata|webhook|note:.*)$/.test(name) || isJson(value),
  );
  return {
    tenant: '',
    createdAtMs: fields['finishedAtMs'] ?? '0',
    ...Object.fromEntries(sound),
    request: JSON.stringify(UNKNOWN),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const UNKNOWN: JobRequest = {
  v: MESSAGE_VERSION,
  model: '',
  fingerprint: '',
  messages: [],
  images: [],
  sampling: GREEDY,
  returnTokenIds: false,
  priority: 0,
  startByMs: null,
  endByMs: null,
};
