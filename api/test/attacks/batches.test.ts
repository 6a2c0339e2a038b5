import { eventually, memoryOf } from '@epd/service/testing';
import test from 'ava';
import { listeningApi } from '../helpers/api-process.ts';

const MIB = 2 ** 20;
const KEY = 'a-key-of-the-tests-0001';
const headers = { authorization: `Bearer ${KEY}` };

interface BatchView {
  readonly id: string;
  readonly status: string;
  readonly errors: { readonly data: readonly { line: number; message: string }[] } | null;
}

test('a batch whose file is one line of 90 MiB is refused, and its API of 512 MiB lives on', async (t) => {
  t.timeout(240_000);
  const api = await listeningApi(t, { EPD_API_KEYS: `alice:${KEY}` }, ['--max-old-space-size=256']);
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob([`[${'{},'.repeat(30 * MIB)}{}]`, '\n{"a":1}\n']), 'bomb.jsonl');
  const upload = await fetch(`${api.url}/v1/files`, { method: 'POST', headers, body: form });
  t.is(upload.status, 200);
  const { id: file } = (await upload.json()) as { id: string };
  const asked = await fetch(`${api.url}/v1/batches`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({
      input_file_id: file,
      endpoint: '/v1/responses',
      completion_window: '1h',
    }),
  });
  t.is(asked.status, 200);
  const { id } = (await asked.json()) as BatchView;
  const batch = await eventually(
    async () => {
      const response = await fetch(`${api.url}/v1/batches/${id}`, { headers });
      const seen = (await response.json()) as BatchView;
      return seen.status === 'failed' ? seen : null;
    },
    { withinMs: 120_000 },
  );
  t.deepEqual(
    batch.errors?.data.map(({ line }) => line),
    [1, 2],
  );
  t.regex(batch.errors?.data[0]?.message ?? '', /at most 33554432 bytes/);
  const { peak } = await memoryOf(api.child);
  t.log(`peak ${peak.toFixed(0)} MiB`);
  t.true(peak < 512, `${peak} MiB`);
  t.is((await fetch(`${api.url}/readyz`)).status, 200);
});
