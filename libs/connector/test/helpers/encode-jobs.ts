import {
  MESSAGE_VERSION,
  inputKey,
  type CompletionEvent,
  type EncodeJob,
} from '../../src/index.ts';
import { FINGERPRINT, hashOf } from './embeddings.ts';

export const MODEL = 'tiny';

export const encodeJobOf = (name: string, model = MODEL): EncodeJob => ({
  v: MESSAGE_VERSION,
  mmHash: hashOf(name),
  model,
  fingerprint: FINGERPRINT,
  input: {
    key: inputKey(hashOf(name)),
    sha256: hashOf(name),
    mediaType: 'image/png',
    bytes: 1000,
    width: 64,
    height: 64,
  },
  tokens: 4,
  requestedAtMs: 0,
});

export const storedEvent = (name: string): CompletionEvent => ({
  v: MESSAGE_VERSION,
  outcome: 'stored',
  mmHash: hashOf(name),
  rows: 4,
  width: 8,
  dtype: 'F32',
  bytes: 400,
  etag: 'etag',
  encoder: 'encoder-1',
  timings: { queueMs: 1, preprocessMs: 2, encodeMs: 3, saveMs: 4, batch: 1 },
});

export const failedEvent = (name: string): CompletionEvent => ({
  v: MESSAGE_VERSION,
  outcome: 'failed',
  mmHash: hashOf(name),
  encoder: 'encoder-1',
  error: { code: 'bad_image', message: 'Not an image', retryable: false },
});
