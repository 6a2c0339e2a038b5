import test from 'ava';
import { secretSettings } from '../../docs/config-reference.ts';
import { at, find, render, type Manifest } from '../helpers/manifests.ts';

/** Each container of the fleet, and the part whose schema says what its process reads. */
const PROCESSES = [
  ['fleet-api', 'API'],
  ['fleet-encoder', 'Encoder'],
  ['fleet-prefill-decode', 'Prefill/decode worker'],
  ['fleet-index', 'Index worker'],
  ['fleet-ops', 'Doctor'],
] as const;

const ALL = {
  EPD_REDIS_URL: 'redis://:hush-redis@host',
  EPD_S3_ACCESS_KEY_ID: 'hush-id',
  EPD_S3_SECRET_ACCESS_KEY: 'hush-s3',
  EPD_EMBEDDING_KEY: 'hush-embedding-key',
  EPD_API_KEYS: 'tenant:hush-hush-hush-hush',
  EPD_ADMIN_KEY: 'hush-admin-admin-admin',
  EPD_WEBHOOK_SECRET: 'hush-webhook-webhook',
  HF_TOKEN: 'hush-token',
};

interface Variable {
  readonly name: string;
  readonly valueFrom?: {
    readonly secretKeyRef: {
      readonly name: string;
      readonly key: string;
      readonly optional?: true;
    };
  };
}

/** What the pod's container takes out of Secrets, by name. */
function taken(manifests: readonly Manifest[], name: string): Variable[] {
  const kind = name === 'fleet-ops' ? 'Pod' : 'Deployment';
  const spec = kind === 'Pod' ? 'spec' : 'spec.template.spec';
  const env = at(find(manifests, kind, name), `${spec}.containers.0.env`) as Variable[];
  return env.filter(({ valueFrom }) => valueFrom !== undefined);
}

const names = (variables: readonly { name: string }[]): string[] =>
  variables.map(({ name }) => name).toSorted();

const whose = [
  ['the chart’s', { values: ALL }, 'fleet-settings'],
  ['the operator’s', { existing: 'mine' }, 'mine'],
] as const;
for (const [title, secret, holder] of whose) {
  test(`each process gets of ${title} Secret the settings that it reads, and no others`, async (t) => {
    const manifests = await render({ secret, index: { enabled: true } });
    for (const [name, part] of PROCESSES) {
      const variables = taken(manifests, name);
      t.deepEqual(names(variables), secretSettings(part).toSorted(), name);
      for (const { name: variable, valueFrom } of variables) {
        t.like(valueFrom?.secretKeyRef, { name: holder, key: variable });
      }
    }
  });
}

test('no worker has the keys of the API, and no pod takes a whole Secret', async (t) => {
  for (const secret of [{ values: ALL }, { existing: 'mine' }]) {
    const manifests = await render({ secret, model: { claim: '' } });
    for (const name of ['fleet-encoder', 'fleet-prefill-decode']) {
      const pod = JSON.stringify(find(manifests, 'Deployment', name));
      t.notRegex(pod, /EPD_API_KEYS|EPD_ADMIN_KEY|EPD_WEBHOOK_SECRET/, name);
    }
    const pods = manifests.filter(({ kind }) => ['Deployment', 'Pod'].includes(kind));
    t.is(pods.length, 4);
    // Neither `envFrom` nor a volume: what is not named is not given.
    for (const pod of pods) t.notRegex(JSON.stringify(pod), /"secretRef"|"secretName"|"secret":/);
  }
});

/** What the API does not start without, of a Secret of the operator. */
async function needed(values: object): Promise<string[]> {
  const manifests = await render({ secret: { existing: 'mine' }, ...values });
  const variables = taken(manifests, 'fleet-api');
  return names(variables.filter(({ valueFrom }) => valueFrom?.secretKeyRef.optional !== true));
}

test('of the operator’s Secret only the address of Redis has to be there, unless it is no secret', async (t) => {
  t.deepEqual(await needed({}), ['EPD_REDIS_URL']);
  t.deepEqual(await needed({ config: { EPD_REDIS_URL: 'redis://valkey:6379' } }), []);
});

test('what the chart’s Secret does not hold is not asked of it', async (t) => {
  const manifests = await render();
  t.deepEqual(names(taken(manifests, 'fleet-api')), ['EPD_API_KEYS', 'EPD_REDIS_URL']);
  t.deepEqual(names(taken(manifests, 'fleet-encoder')), ['EPD_REDIS_URL']);
});

test('what the operator names as shared reaches every process', async (t) => {
  const shared = ['OTEL_EXPORTER_OTLP_HEADERS'];
  const values = { ...ALL, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hush' };
  const manifests = await render({ secret: { shared, values }, index: { enabled: true } });
  for (const [name] of PROCESSES) {
    t.true(names(taken(manifests, name)).includes(shared[0]!), name);
  }
});

/** By which Kubernetes sees that the secrets of the API and of both workers have changed. */
async function checksums(key: string): Promise<unknown[]> {
  const manifests = await render({ secret: { values: { ...ALL, EPD_API_KEYS: key } } });
  return ['api', 'encoder', 'prefill-decode'].map((name) => {
    const deployment = find(manifests, 'Deployment', `fleet-${name}`);
    const annotations = at(deployment, 'spec.template.metadata.annotations');
    return (annotations as Record<string, string>)['checksum/secret'];
  });
}

test('a changed key of the API replaces the API, and no worker', async (t) => {
  const [before, after] = [
    await checksums('a:aaaaaaaaaaaaaaaa'),
    await checksums('b:bbbbbbbbbbbbbbbb'),
  ];
  t.truthy(before[1]);
  t.not(before[0], after[0]);
  t.deepEqual(before.slice(1), after.slice(1));
});

test('a secret among the settings that are none, and one that nobody would read, are refused', async (t) => {
  const config = { EPD_API_KEYS: 'tenant:hush-hush-hush-hush' };
  await t.throwsAsync(render({ config }), { message: /EPD_API_KEYS is secret/ });
  await t.throwsAsync(render({ encoder: { config } }), { message: /EPD_API_KEYS is secret/ });
  const values = { ...ALL, EPD_LOG_LEVEL: 'debug' };
  await t.throwsAsync(render({ secret: { values } }), { message: /EPD_LOG_LEVEL/ });
});

const madeKey = async (values: object): Promise<string | undefined> => {
  const secret = find(await render(values), 'Secret', 'fleet-settings');
  return (at(secret, 'stringData') as Record<string, string>)['EPD_ADMIN_KEY'];
};

test('without keys the chart makes an admin key, for the API alone, and never the same', async (t) => {
  const none = { EPD_API_KEYS: '', EPD_REDIS_URL: 'redis://host' };
  const [first, second] = [
    await madeKey({ secret: { values: none } }),
    await madeKey({ secret: { values: none } }),
  ];
  t.regex(first ?? '', /^[A-Za-z0-9]{40}$/);
  t.not(first, second);
  const manifests = await render({ secret: { values: none } });
  t.true(names(taken(manifests, 'fleet-api')).includes('EPD_ADMIN_KEY'));
  t.false(names(taken(manifests, 'fleet-encoder')).includes('EPD_ADMIN_KEY'));
  t.is(
    await madeKey({ secret: { values: { ...none, EPD_API_KEYS: 'a:aaaaaaaaaaaaaaaa' } } }),
    undefined,
  );
  t.is(await madeKey({ secret: { values: none }, api: { config: { EPD_OPEN: true } } }), undefined);
  t.is(await madeKey({ secret: { values: none }, api: { enabled: false } }), undefined);
});

const keyOf = (manifests: readonly Manifest[], name: string): string | undefined =>
  taken(manifests, name).find((variable) => variable.name === 'EPD_S3_ACCESS_KEY_ID')?.valueFrom
    ?.secretKeyRef.key;

test('a service may have its own keys for S3, and the others those for all', async (t) => {
  const own = { 'encoder.EPD_S3_ACCESS_KEY_ID': 'writer', 'encoder.EPD_S3_SECRET_ACCESS_KEY': 'w' };
  const chart = await render({ secret: { values: { ...ALL, ...own } } });
  t.is(keyOf(chart, 'fleet-encoder'), 'encoder.EPD_S3_ACCESS_KEY_ID');
  t.is(keyOf(chart, 'fleet-prefill-decode'), 'EPD_S3_ACCESS_KEY_ID');
  const operators = await render({ secret: { existing: 'mine', s3ByService: true } });
  t.is(keyOf(operators, 'fleet-prefill-decode'), 'prefill-decode.EPD_S3_ACCESS_KEY_ID');
  t.is(keyOf(operators, 'fleet-api'), 'api.EPD_S3_ACCESS_KEY_ID');
});

const sums = async (namespace: string) => {
  const manifests = await render({ secret: { values: ALL } }, namespace);
  const encoder = find(manifests, 'Deployment', 'fleet-encoder');
  return at(encoder, 'spec.template.metadata.annotations') as Record<string, string>;
};

test('what stands for secrets in annotations differs between namespaces, for equal secrets', async (t) => {
  const [one, other, again] = [await sums('one'), await sums('other'), await sums('one')];
  t.not(one['checksum/secret'], other['checksum/secret']);
  t.is(one['checksum/secret'], again['checksum/secret']);
});

test('secrets are only in Secrets', async (t) => {
  const manifests = await render({
    secret: { values: { EPD_API_KEYS: 'hush:hush-hush-hush-hush' } },
  });
  const holders = manifests.filter((manifest) => JSON.stringify(manifest).includes('hush'));
  t.deepEqual(
    holders.map(({ kind }) => kind),
    ['Secret'],
  );
});
