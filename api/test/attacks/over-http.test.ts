import test, { type ExecutionContext } from 'ava';
import { listeningApi } from '../helpers/api-process.ts';
import { sendRaw } from '../helpers/send-raw.ts';

const KEY = 'a-key-of-the-tests-0001';
const UPLOAD =
  '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n' +
  '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n--b--\r\n';

/** The status and error code of an upload as a browser sends it, at a process of its own. */
async function uploads(t: ExecutionContext, env: Record<string, string>) {
  const { port } = await listeningApi(t, env);
  return async (headers: Record<string, string>): Promise<[number, string | undefined]> => {
    const { status, body } = await sendRaw(port, {
      method: 'POST',
      url: '/v1/files',
      headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
      payload: UPLOAD,
    });
    return [status, (JSON.parse(body) as { error?: { code: string } }).error?.code];
  };
}

test('a keyless process refuses pages of other sites, and names that lead to it', async (t) => {
  const upload = await uploads(t, {});
  t.deepEqual(await upload({ origin: 'https://evil.example' }), [403, 'origin_not_allowed']);
  t.deepEqual(await upload({ 'sec-fetch-site': 'cross-site' }), [403, 'origin_not_allowed']);
  t.deepEqual(await upload({ host: 'evil.example' }), [403, 'host_not_allowed']);
  t.deepEqual(await upload({}), [200, undefined]);
});

test('a process with keys refuses the same, and what is more than a tenant may keep', async (t) => {
  const upload = await uploads(t, { EPD_API_KEYS: `alice:${KEY}`, EPD_TENANT_FILES: '1' });
  const authorization = `Bearer ${KEY}`;
  t.deepEqual(await upload({}), [401, 'missing_api_key']);
  const foreign = { authorization, origin: 'https://evil.example' };
  t.deepEqual(await upload(foreign), [403, 'origin_not_allowed']);
  const rebound = { authorization, host: 'evil.example' };
  t.deepEqual(await upload(rebound), [403, 'host_not_allowed']);
  t.deepEqual(await upload({ authorization }), [200, undefined]);
  t.deepEqual(await upload({ authorization }), [403, 'quota_exceeded']);
});
