import { isDeepStrictEqual } from 'node:util';
import { projectPath } from '@epd/service';
import test from 'ava';
import { helmBinary } from '../../tools/helm.ts';
import { run } from '../../tools/run.ts';
import {
  at,
  checkProperties,
  find,
  render,
  validate,
  type Manifest,
} from '../helpers/manifests.ts';

const POD = 'spec.template.spec';

const variants: readonly (readonly [string, object])[] = [
  ['as it comes', {}],
  [
    'on GPUs, with the model pulled, an ingress and monitoring',
    {
      encoder: { gpu: { enabled: true, runtimeClassName: 'nvidia' } },
      prefillDecode: { gpu: { enabled: true }, rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      model: { claim: '', pull: { env: [{ name: 'AWS_REGION', value: 'eu-central-1' }] } },
      api: { ingress: { enabled: true, className: 'nginx', tlsSecret: 'tls' } },
      image: { pullSecrets: [{ name: 'regcred' }] },
      index: { enabled: true },
      monitoring: { podMonitor: true, rules: true, dashboards: true, labels: { release: 'prom' } },
    },
  ],
  [
    'as a second model, unscaled, with a Secret of the operator',
    {
      api: { enabled: false },
      autoscaling: { enabled: false },
      secret: { existing: 'mine' },
      model: { name: 'other' },
      networkPolicy: { enabled: false },
    },
  ],
];

for (const [name, values] of variants) {
  test(`the chart renders to what the schemas admit: ${name}`, async (t) => {
    const manifests = await render(values);
    t.true(manifests.length > 6);
    for (const manifest of manifests) {
      t.notThrows(() => validate(manifest), `${manifest.kind} ${manifest.metadata.name}`);
    }
    await t.notThrowsAsync(checkProperties(manifests));
  });
}

test('helm lint finds nothing, warnings counted', async (t) => {
  const keys = 'secret.values.EPD_API_KEYS=tenant:a-key-of-some-length';
  const chart = projectPath('infra/helm/epd-fleet');
  const report = await run(await helmBinary(), ['lint', '--strict', chart, '--set', keys]);
  t.regex(report, /0 chart\(s\) failed/);
});

test('the checks see a value of the wrong kind and a property that there is not', async (t) => {
  const deployment = find(await render(), 'Deployment', 'fleet-api');
  const container = at(deployment, `${POD}.containers.0`) as Record<string, unknown>;
  container['reedinessProbe'] = {};
  await t.throwsAsync(checkProperties([deployment]), { message: /reedinessProbe/ });
  container['image'] = 7;
  t.throws(() => validate(deployment), { message: /image/ });
});

test('a value of the wrong kind, and one that the chart does not have, are refused', async (t) => {
  await t.throwsAsync(render({ encoder: { replicas: 'many' } }), { message: /replicas/ });
  await t.throwsAsync(render({ encoders: {} }), { message: /encoders/ });
});

test('every container runs without root, privileges and a writable root, with a bound on memory', async (t) => {
  const deployments = (await render({ model: { claim: '' } })).filter(isDeployment);
  t.is(deployments.length, 3);
  for (const deployment of deployments) {
    const pod = at(deployment, POD) as Record<'containers' | 'initContainers', object[]>;
    t.like(pod, { securityContext: { runAsNonRoot: true }, automountServiceAccountToken: false });
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
      t.like(container, {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
      t.truthy(at(container, 'resources.limits.memory'), deployment.metadata.name);
    }
  }
});

test('the grace period outlasts the stop that a service is given', async (t) => {
  const manifests = await render({ prefillDecode: { stopSeconds: 90 } });
  const deployment = find(manifests, 'Deployment', 'fleet-prefill-decode');
  t.is(at(find(manifests, 'ConfigMap', 'fleet-prefill-decode'), 'data.EPD_STOP_MS'), '90000');
  t.true(Number(at(deployment, `${POD}.terminationGracePeriodSeconds`)) > 90);
});

test('the outage of a dependency makes a process unready and never restarts it; neither does a model that loads slowly', async (t) => {
  const manifests = await render({ encoder: { startSeconds: 120 } });
  for (const name of ['fleet-api', 'fleet-encoder', 'fleet-prefill-decode']) {
    const container = at(find(manifests, 'Deployment', name), `${POD}.containers.0`);
    const path = (probe: string): unknown => at(container, `${probe}.httpGet.path`);
    t.is(path('readinessProbe'), '/readyz', name);
    t.is(path('livenessProbe'), '/healthz', name);
    if (name !== 'fleet-api') t.is(path('startupProbe'), '/healthz', name);
  }
  const encoder = find(manifests, 'Deployment', 'fleet-encoder');
  const start = at(encoder, `${POD}.containers.0.startupProbe`);
  t.is(Number(at(start, 'periodSeconds')) * Number(at(start, 'failureThreshold')), 120);
});

test('settings of a service go before those of all, and the GPU its own', async (t) => {
  const manifests = await render({
    config: { EPD_LOG_LEVEL: 'warn' },
    encoder: { config: { EPD_LOG_LEVEL: 'debug' }, gpu: { enabled: true } },
  });
  t.like(find(manifests, 'ConfigMap', 'fleet-encoder')['data'], {
    EPD_LOG_LEVEL: 'debug',
    EPD_EXECUTION_PROVIDERS: 'webgpu,cpu',
  });
  t.is(at(find(manifests, 'ConfigMap', 'fleet-api'), 'data.EPD_LOG_LEVEL'), 'warn');
});

test('a model of the Hub is fetched by each worker’s init container, its own graphs only, and then served offline', async (t) => {
  const hub = 'org/vlm@4f2a:q4';
  const manifests = await render({ model: { name: 'org/vlm:q4', hub, claim: '' } });
  for (const [component, role] of [
    ['encoder', 'encoder'],
    ['prefill-decode', 'pd'],
  ] as const) {
    const deployment = find(manifests, 'Deployment', `fleet-${component}`);
    const pull = at(deployment, `${POD}.initContainers.0`);
    t.deepEqual(at(pull, 'args'), ['node', 'ops/commands/models.ts', 'pull', hub, '--for', role]);
    t.like(at(find(manifests, 'ConfigMap', `fleet-${component}`), 'data'), {
      EPD_MODEL: hub,
      EPD_MODEL_NAME: 'org/vlm:q4',
      HF_HUB_CACHE: '/models',
      HF_HUB_OFFLINE: 'true',
    });
    const labels = at(deployment, 'spec.template.metadata.labels') as Record<string, string>;
    t.is(labels['epd-fleet/model'], 'org_vlm_q4');
  }
});

test('an index worker needs no model and no scaler, and every process has the setting that there is one', async (t) => {
  const manifests = await render({
    index: { enabled: true, replicas: 2 },
    model: { claim: '' },
    monitoring: { podMonitor: true },
  });
  const deployment = find(manifests, 'Deployment', 'fleet-index');
  t.is(at(deployment, 'spec.replicas'), 2);
  t.is(at(deployment, `${POD}.initContainers`), undefined);
  t.deepEqual(
    (at(deployment, `${POD}.volumes`) as { name: string }[]).map(({ name }) => name),
    ['data', 'tmp'],
  );
  for (const name of ['api', 'encoder', 'prefill-decode', 'index']) {
    const config = find(manifests, 'ConfigMap', `fleet-${name}`);
    t.is(at(config, 'data.EPD_INDEX'), 'true', name);
  }
  const { data } = find(manifests, 'ConfigMap', 'fleet-index');
  t.false(Object.keys(data as object).some((setting) => setting.startsWith('EPD_MODEL')));
  for (const kind of ['PodDisruptionBudget', 'NetworkPolicy', 'ServiceAccount', 'PodMonitor']) {
    t.notThrows(() => find(manifests, kind, 'fleet-index'), kind);
  }
});

test('a store that pods cannot share is refused', async (t) => {
  const config = { EPD_STORE: 'folder' };
  await t.throwsAsync(render({ config }), { message: /EPD_STORE must be s3/ });
  await t.throwsAsync(render({ encoder: { config } }), { message: /EPD_STORE must be s3/ });
});

test('a GPU is asked for only by the service that has it on, and leads to its nodes', async (t) => {
  const manifests = await render({ encoder: { gpu: { enabled: true } } });
  t.like(at(find(manifests, 'Deployment', 'fleet-encoder'), POD), {
    containers: [{ resources: { limits: { 'nvidia.com/gpu': 1 } } }],
    nodeSelector: { 'nvidia.com/gpu.present': 'true' },
    tolerations: [{ key: 'nvidia.com/gpu' }],
  });
  const other = find(manifests, 'Deployment', 'fleet-prefill-decode');
  t.is(at(other, `${POD}.nodeSelector`), undefined);
});

test('deployments that are scaled leave their replicas to the scaler', async (t) => {
  t.deepEqual(await replicas(true), [undefined, undefined, undefined]);
  t.deepEqual(await replicas(false), [2, 1, 1]);
});

test('the scalers ask for the model of the release, and hold still for a while', async (t) => {
  const manifests = await render({
    model: { name: 'vlm' },
    autoscaling: { matchers: 'namespace="a"' },
  });
  t.like(find(manifests, 'ScaledObject', 'fleet-encoder')['spec'], {
    minReplicaCount: 1,
    triggers: [
      {
        metadata: {
          query: 'max(epd_queue_cost_tokens{stage="encode",model="vlm",namespace="a"})',
        },
      },
    ],
    advanced: {
      horizontalPodAutoscalerConfig: {
        behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
      },
    },
  });
});

test('the API may not be led to private addresses, whatever port', async (t) => {
  const policy = find(await render(), 'NetworkPolicy', 'fleet-api');
  const egress = at(policy, 'spec.egress') as { ports: { port: number }[]; to?: unknown }[];
  const open = egress.filter(
    ({ ports, to }) => to === undefined && ports.some(({ port }) => [80, 443].includes(port)),
  );
  t.deepEqual(open, []);
});

test('whoever may call the API, `helm test` may too', async (t) => {
  const caller = { namespaceSelector: { matchLabels: { team: 'a' } } };
  const manifests = await render({ networkPolicy: { apiFrom: [caller] } });
  const policy = find(manifests, 'NetworkPolicy', 'fleet-api');
  t.notThrows(() => validate(policy));
  const from = at(policy, 'spec.ingress.0.from') as object[];
  t.deepEqual(from[0], caller);
  const { labels } = find(manifests, 'Pod', 'fleet-ops').metadata;
  t.like(labels, at(from.at(-1), 'podSelector.matchLabels') as object);
});

test('a server that hands out credentials can be reached when a rule names it', async (t) => {
  const rule = {
    ports: [{ port: 80, protocol: 'TCP' }],
    to: [{ ipBlock: { cidr: '169.254.170.23/32' } }],
  };
  const manifests = await render({ networkPolicy: { egress: [rule] } });
  for (const name of ['fleet-api', 'fleet-encoder', 'fleet-prefill-decode']) {
    const policy = find(manifests, 'NetworkPolicy', name);
    t.notThrows(() => validate(policy));
    t.deepEqual((at(policy, 'spec.egress') as object[]).filter(isDeepStrictEqualTo(rule)), [rule]);
  }
});

test('both scalers of workers hold still before they take any away', async (t) => {
  const manifests = await render();
  const path = 'spec.advanced.horizontalPodAutoscalerConfig.behavior';
  for (const name of ['fleet-encoder', 'fleet-prefill-decode']) {
    const behavior = at(find(manifests, 'ScaledObject', name), path);
    t.like(behavior, {
      scaleUp: { stabilizationWindowSeconds: 0 },
      scaleDown: { stabilizationWindowSeconds: 300 },
    });
  }
});

test('an ingress leads to what callers use, and to nothing that operators look at', async (t) => {
  const manifests = await render({ api: { ingress: { enabled: true, host: 'epd.example.org' } } });
  const ingress = find(manifests, 'Ingress', 'fleet-api');
  const paths = at(ingress, 'spec.rules.0.http.paths') as { path: string; pathType: string }[];
  const reaches = (url: string): boolean =>
    paths.some(({ path, pathType }) =>
      pathType === 'Exact' ? url === path : url === path || url.startsWith(`${path}/`),
    );
  for (const url of ['/', '/gallery', '/v1/jobs', '/page/main.js', '/docs/', '/openapi.json']) {
    t.true(reaches(url), url);
  }
  for (const url of ['/metrics', '/healthz', '/readyz', '/admin/queues'])
    t.false(reaches(url), url);
  t.is(at(find(manifests, 'ConfigMap', 'fleet-api'), 'data.EPD_PUBLIC_HOSTS'), 'epd.example.org');
});

test('an image that has a digest is named by it', async (t) => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const manifests = await render({ image: { digests: { encoder: digest } } });
  const image = (name: string) =>
    at(find(manifests, 'Deployment', name), `${POD}.containers.0.image`);
  t.is(image('fleet-encoder'), `registry.example.com/epd-fleet/encoder@${digest}`);
  t.regex(String(image('fleet-api')), /\/api:\d/);
});

test('a role for the bucket is bound by an annotation of the service account', async (t) => {
  const role = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/epd' };
  const manifests = await render({ encoder: { serviceAccount: { annotations: role } } });
  t.like(find(manifests, 'ServiceAccount', 'fleet-encoder').metadata, { annotations: role });
});

async function replicas(scaled: boolean): Promise<unknown[]> {
  return (await render({ autoscaling: { enabled: scaled } }))
    .filter(isDeployment)
    .map((deployment) => at(deployment, 'spec.replicas'));
}

const isDeepStrictEqualTo =
  (wanted: object) =>
  (given: object): boolean =>
    isDeepStrictEqual(wanted, given);

function isDeployment({ kind }: Manifest): boolean {
  return kind === 'Deployment';
}
