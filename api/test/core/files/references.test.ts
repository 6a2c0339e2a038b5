import test from 'ava';
import { jobKeys } from '@epd/jobs';
import { storedReferences } from '../../../src/core/files/references.ts';
import { png } from '../../helpers/pictures.ts';
import { jobOf, post, question } from '../../helpers/requests.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';

const referencesOf = ({ redis, prefix, jobs, services }: TestApi) =>
  Array.fromAsync(storedReferences({ redis, prefix, jobs, files: services.files.records }));

const inputsOf = async ({ inputs }: TestApi) =>
  (await Array.fromAsync(inputs.list(''))).map(({ key }) => key).toSorted();

test('what live jobs and files refer to is all that is stored, until they end', async (t) => {
  const api = await testApi(t);
  const { id } = jobOf(await post(api.app, '/v1/jobs', question('What?', png(8, 6, 1))));
  const add = (bytes: Uint8Array, purpose: 'vision' | 'batch') =>
    api.services.files.add({
      tenant: 'any',
      filename: 'x',
      purpose,
      bytes,
      expiresAfterS: null,
    });
  const picture = await add(png(8, 6, 2), 'vision');
  const lines = await add(Buffer.from('{}'), 'batch');
  t.deepEqual((await referencesOf(api)).toSorted(), await inputsOf(api));
  t.is((await referencesOf(api)).length, 3);

  await api.services.files.remove(picture);
  const ending = { choices: [], usage: null, timings: {}, error: null };
  await api.jobs.finish(id, { status: 'cancelled', ...ending });
  t.deepEqual(await referencesOf(api), [lines.key]);
});

test('a job whose record cannot be read makes the references unknown', async (t) => {
  const api = await testApi(t);
  const { id } = jobOf(await post(api.app, '/v1/jobs', question('What?', png())));
  await api.redis.hset(jobKeys(api.prefix).record(id), 'request', '{"v":999}');
  await t.throwsAsync(referencesOf(api));
});
