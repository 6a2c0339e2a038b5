import test from 'ava';
import { requestStages } from '../../src/alone/request-stages.ts';

test('a request with a new picture has each stage, and what no stage tells is the rest', (t) => {
  const timings = {
    accept_ms: 3,
    queue_ms: 5,
    wait_for_embeddings_ms: 30,
    prefill_ms: 12,
    ttft_ms: 47,
    images: [{ queue_ms: 1, preprocess_ms: 2, encode_ms: 20, save_ms: 3, load_ms: 1 }],
  };
  t.deepEqual(requestStages({ timings }, 52), {
    accept: 3,
    queue: 5,
    'image: queue': 1,
    'image: preprocess': 2,
    'image: encode': 20,
    'image: save': 3,
    'image: load': 1,
    'wait for embeddings': 30,
    prefill: 12,
    'the rest': 2,
  });
});

test('a text passes no stage of an image', (t) => {
  const stages = requestStages({ timings: { accept_ms: 1, ttft_ms: 6, images: [] } }, 8);
  t.like(stages, { accept: 1, 'image: encode': null, 'image: load': null, 'the rest': 1 });
});
