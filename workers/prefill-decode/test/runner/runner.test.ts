import { join } from 'node:path';
import { testGraphs } from '@epd/service/testing';
import test from 'ava';
import type { Step } from '../../src/runner/messages.ts';
import { Runner, RunnerLostError } from '../../src/runner/runner.ts';
import { MODEL_FOLDER } from '../helpers/golden.ts';

const NOTHING: Step = { operations: [], open: [], close: [], runs: [] };
const LAYOUT = { op: 'layout', slots: 2, length: 32, lengths: [] } as const;

test('a change of the cache that fails is the end of the runner: no later step is made', async (t) => {
  const runner = await Runner.start(
    {
      decoderPath: join(MODEL_FOLDER, 'onnx/decoder_model_merged.onnx'),
      embedTokensPath: join(MODEL_FOLDER, 'onnx/embed_tokens.onnx'),
      cacheFolder: testGraphs(),
      executionProviders: ['cpu'],
      threads: 1,
      threadsSpin: false,
      hangAtStep: 0,
    },
    { runTimeoutMs: 60_000, onHang: () => t.fail('it hangs') },
  );
  await runner.step({ ...NOTHING, operations: [LAYOUT] });
  const restore = { op: 'restore', slot: 0, blocks: [99], tokens: 3 } as const;
  const save = { op: 'save', slot: 0, from: 0, blocks: [1] } as const;
  const failed = runner.step({ ...NOTHING, operations: [restore, save] });
  const sentBehind = runner.step(NOTHING);
  const lost = await t.throwsAsync(failed, { instanceOf: RunnerLostError });
  t.regex(lost?.message ?? '', /restore failed.*Block 99 is not held/);
  await t.throwsAsync(sentBehind, { instanceOf: RunnerLostError });
  await t.throwsAsync(runner.step(NOTHING), { instanceOf: RunnerLostError });
  await runner.close();
});
