import { Ajv } from 'ajv';
import test from 'ava';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { API_ERRORS } from '../../../src/http/errors.ts';
import { echoWorker } from '../../helpers/echo-worker.ts';
import { png } from '../../helpers/pictures.ts';
import { jsonOf, post, question } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';
import { answer } from '../../helpers/worker.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { in: string; name: string }[];
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly responses: Record<string, Answer>;
  readonly requestBody?: {
    content: Record<string, { examples?: Record<string, { value: object }> }>;
  };
}

interface Answer {
  readonly description: string;
  readonly content?: Record<string, { schema: object }>;
}

interface Description {
  readonly servers: readonly { url: string }[];
  readonly components: { readonly schemas: Record<string, object> };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly tags: readonly { name: string }[];
}

const describe = async (app: FastifyInstance) =>
  jsonOf<Description>(await app.inject('/openapi.json'));

test('every route that is served is described, and the other way round', async (t) => {
  const { app } = await testApi(t, { adminKey: 'the-admin-key-of-tests' });
  const { paths, tags } = await describe(app);
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const operation of described) {
    const [method = '', path = ''] = operation.split(' ');
    const urls = [path.replaceAll(/\{(\w+)\}/g, ':$1'), path.replace(/\{\w+\}$/, '*')];
    t.true(
      urls.some((url) => app.hasRoute({ method, url })),
      operation,
    );
  }
  const listed = app.printRoutes({ commonPrefix: false }).match(/\/v1\/\S+/g) ?? [];
  for (const path of new Set(listed)) {
    t.true(path.replaceAll(/:(\w+)/g, '{$1}').replace(/\*$/, '{id}') in paths, path);
  }
  for (const operations of Object.values(paths)) {
    for (const { summary, tags: own } of Object.values(operations)) {
      t.truthy(summary);
      t.true(own?.every((tag) => tags.some(({ name }) => name === tag)));
    }
  }
});

test('tools find a name for each operation and schema, words for each answer, headers and streams', async (t) => {
  const { app } = await testApi(t);
  const { paths, servers, components } = await describe(app);
  t.deepEqual(
    servers.map(({ url }) => url),
    ['/'],
  );
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const ids = operations.map(({ operationId: id }) => id);
  t.is(new Set(ids).size, ids.length, String(ids));
  for (const { operationId: id, responses } of operations) {
    t.regex(id, /^[a-z]+[A-Z]\w+$/);
    for (const { description, content } of Object.values(responses)) {
      t.notRegex(description, /Default/, id);
      t.truthy(content, id);
    }
  }
  for (const name of ['NewJob', 'Job', 'Error', 'File', 'Upload', 'Batch', 'ChatCompletion'])
    t.true(name in components.schemas, name);
  t.false(JSON.stringify(paths).includes('"title":'), 'a schema with a title stands in components');
  const headers = (id: string) =>
    operations
      .find(({ operationId: own }) => own === id)
      ?.parameters?.flatMap((one) => (one.in === 'header' ? [one.name] : []));
  t.deepEqual(headers('createJob'), ['Prefer', 'Idempotency-Key']);
  t.deepEqual(headers('createChatCompletion'), ['Idempotency-Key']);
  t.deepEqual(headers('getJobEvents'), ['Last-Event-ID']);
  for (const id of ['createChatCompletion', 'createResponse', 'getResponse', 'getJobEvents']) {
    const operation = operations.find(({ operationId: own }) => own === id);
    t.truthy(operation?.responses['200']?.content?.['text/event-stream'], id);
  }
  const upload = paths['/v1/files']?.['post']?.requestBody?.content ?? {};
  t.deepEqual(Object.keys(upload), ['multipart/form-data']);
});

test('what is answered is what is described', async (t) => {
  const { app, jobs } = await testApi(t);
  const { paths, components } = await describe(app);
  const ajv = new Ajv({ strict: false, formats: { binary: true } });
  const check = (method: string, path: string, response: LightMyRequestResponse): void => {
    const responses = paths[path]?.[method]?.responses ?? {};
    const described =
      responses[response.statusCode] ?? responses[`${String(response.statusCode)[0]}XX`];
    const schema = described?.content?.['application/json']?.schema;
    t.truthy(schema, `${method} ${path} ${response.statusCode}`);
    t.true(
      ajv.validate({ ...schema, components }, response.json()),
      `${method} ${path}: ${ajv.errorsText()} ${response.body}`,
    );
  };
  const submitted = await post(app, '/v1/jobs', question('?', png()));
  const { id } = jsonOf<{ id: string }>(submitted);
  check('post', '/v1/jobs', submitted);
  check('get', '/v1/jobs/{id}', await app.inject(`/v1/jobs/${id}`));
  await answer(jobs, id, { pieces: ['x'] });
  check('get', '/v1/jobs/{id}', await app.inject(`/v1/jobs/${id}`));
  check('get', '/v1/jobs', await app.inject('/v1/jobs'));
  check(
    'get',
    '/v1/responses/{id}',
    await app.inject(`/v1/responses/${id.replace('job_', 'resp_')}`),
  );
  check('get', '/v1/models', await app.inject('/v1/models'));
  check('get', '/v1/models/{id}', await app.inject('/v1/models/tiny-vlm'));
  check('get', '/v1/models/{id}', await app.inject('/v1/models/nobody'));
  check('post', '/v1/jobs', await post(app, '/v1/jobs', {}));
  check(
    'post',
    '/v1/jobs/{id}/cancel',
    await app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` }),
  );
  check('delete', '/v1/jobs/{id}', await app.inject({ method: 'DELETE', url: `/v1/jobs/${id}` }));
  check('get', '/v1/files', await app.inject('/v1/files'));
  check('get', '/v1/batches', await app.inject('/v1/batches'));
  check('get', '/healthz', await app.inject('/healthz'));
  check('get', '/readyz', await app.inject('/readyz'));
});

test('the examples run', async (t) => {
  const api = await testApi(t);
  await echoWorker(t, api);
  const { paths } = await describe(api.app);
  const examples = Object.entries(paths).flatMap(([path, { post: operation }]) => {
    const given = operation?.requestBody?.content['application/json']?.examples ?? {};
    return Object.values(given).map(({ value: body }) => ({ path, body }));
  });
  t.deepEqual([...new Set(examples.map(({ path }) => path))].toSorted(), [
    '/v1/chat/completions',
    '/v1/jobs',
    '/v1/responses',
  ]);
  for (const { path, body } of examples) {
    const response = await post(api.app, path, body);
    t.true(response.statusCode < 300, `${path}: ${response.body}`);
    t.false(response.body.includes('"error":{'));
  }
});

test('every code of the table has a status that fits its kind', (t) => {
  for (const [code, status] of Object.entries(API_ERRORS)) {
    t.regex(code, /^[a-z]+(_[a-z]+)*$/);
    t.true(status >= 400 && status <= 504);
  }
});
