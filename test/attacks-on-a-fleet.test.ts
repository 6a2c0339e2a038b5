import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { startFleet, type Fleet } from './helpers/fleet.ts';

const MIB = 2 ** 20;
/** What V8 gives itself in a container of 512 MiB. */
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=256' };
const SMALL_MIB = 512;
const KEYS = { alice: 'alice-key-0123456789', bob: 'bob-key-0123456789' };
const ROLES = ['api', 'encoder', 'prefill-decode'] as const;
/** A character that no text needs. */
const NONCHARACTER = '\ufdd0';

type Who = keyof typeof KEYS;

interface Completion {
  readonly error?: { readonly code: string };
  readonly usage?: { readonly prompt_tokens_details?: { readonly cached_tokens: number } };
}

function attacked(fleet: Fleet) {
  const send = async (path: string, who: Who | null, headers: object, body: string | FormData) => {
    const authorization = who === null ? {} : { authorization: `Bearer ${KEYS[who]}` };
    const all = { ...authorization, ...headers };
    const response = await fetch(fleet.url + path, { method: 'POST', headers: all, body });
    return { status: response.status, body: (await response.json()) as Completion };
  };
  const json = { 'content-type': 'application/json' };
  const chat = (who: Who, content: string, more: object = {}) =>
    send(
      '/v1/chat/completions',
      who,
      json,
      JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 4, ...more }),
    );
  return { send, json, chat };
}

type Attacked = ReturnType<typeof attacked>;

/** Bob asks little things, one after the other, until the attack is over. */
async function answersMeanwhile(
  t: ExecutionContext,
  { chat }: Attacked,
  attack: () => Promise<unknown>,
): Promise<void> {
  let over = false;
  const asked = async (): Promise<void> => {
    // oxlint-disable-next-line no-unmodified-loop-condition -- set when the attack is over
    while (!over) {
      t.is((await chat('bob', 'hi')).status, 200);
      await sleep(20);
    }
  };
  const asking = asked();
  await attack().finally(() => (over = true));
  await asking;
}

const upload = (text: string): FormData => {
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob([text]), 'lines.jsonl');
  return form;
};

test('a fleet with an API of 512 MiB serves one tenant while another attacks it', async (t) => {
  t.timeout(180_000);
  const env = { ...SMALL_HEAP, EPD_API_KEYS: `alice:${KEYS.alice},bob:${KEYS.bob}` };
  const fleet = await startFleet(t, { env, apiKey: KEYS.bob });
  const of = attacked(fleet);

  await answersMeanwhile(t, of, async () => {
    const marks = `${NONCHARACTER.repeat(20_000)}${'<'.repeat(20_000)}`;
    const bombs = [marks, '<'.repeat(50_000), 'word '.repeat(2e6), '\u4e16'.repeat(3 * MIB)];
    for (const { status } of await Promise.all(bombs.map((text) => of.chat('alice', text))))
      t.is(status, 400);
  });

  await answersMeanwhile(t, of, async () => {
    const objects = `[${'{},'.repeat(9 * MIB)}{}]`;
    t.is((await of.send('/v1/nothing', null, of.json, objects)).status, 404);
    t.is((await of.send('/v1/jobs', null, of.json, objects)).status, 401);
    t.is((await of.send('/v1/jobs', 'alice', of.json, objects)).status, 400);
    t.is((await of.send('/v1/jobs', 'alice', of.json, '['.repeat(200_000))).status, 400);
  });

  await answersMeanwhile(t, of, async () => {
    const line = `{"custom_id":"a","method":"POST","url":"/v1/responses","body":${'[1,'.repeat(28 * MIB)}`;
    const { status, body } = await of.send('/v1/files', 'alice', {}, upload(line));
    t.is(status, 200);
    const input = { input_file_id: (body as { id?: string }).id, endpoint: '/v1/responses' };
    const made = { ...input, completion_window: '1h' };
    t.is((await of.send('/v1/batches', 'alice', of.json, JSON.stringify(made))).status, 200);
    await sleep(1_000);
  });

  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  t.is((await of.send('/v1/files', 'alice', foreign, upload('{}'))).status, 403);
  const urgent = await of.chat('alice', 'hi', { priority: -100 });
  t.is(urgent.status, 400);

  for (const role of ROLES)
    for (const { child } of fleet.processes(role)) {
      t.is(child.exitCode ?? child.signalCode, null, `${role} is alive`);
      t.log(`peak memory: ${role} ${(await memoryOf(child)).peak.toFixed(0)} MiB`);
    }
  t.true((await memoryOf(fleet.processes('api')[0]!.child)).peak < SMALL_MIB);
});

test('what one tenant has asked is not told to another by cached tokens', async (t) => {
  const env = { EPD_API_KEYS: `alice:${KEYS.alice},bob:${KEYS.bob}` };
  const fleet = await startFleet(t, { env, apiKey: KEYS.bob, encoders: 0 });
  const { chat } = attacked(fleet);
  const secret = 'The word is blue and the shape is a circle. '.repeat(12);
  const cached = async (who: Who): Promise<number | undefined> =>
    (await chat(who, secret)).body.usage?.prompt_tokens_details?.cached_tokens;
  t.is(await cached('alice'), 0);
  t.is(await cached('bob'), 0);
  t.true(((await cached('alice')) ?? 0) > 64);
});
