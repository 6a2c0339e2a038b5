import test from 'ava';
import { checkProperties, render, validate, type Manifest } from '../helpers/manifests.ts';

const variants: readonly (readonly [string, object])[] = [
  ['as it comes', {}],
  [
    'on GPUs, with the model pulled, an ingress and monitoring',
    {
      encoder: { gpu: { enabled: true, runtimeClassName: 'nvidia' } },
      prefillDecode: { gpu: { enabled: true }, rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      model: { claim: '' },
      api: { ingress: { enabled: true, className: 'nginx', tlsSecret: 'tls' } },
      image: { pullSecrets: [{ name: 'regcred' }] },
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

test('the checks see a value of the wrong kind and a property that there is not', async (t) => {
  const deployment = find(await render(), 'Deployment', 'fleet-api');
  const [container] = deployment['spec'].template.spec.containers;
  container.reedinessProbe = {};
  await t.throwsAsync(checkProperties([deployment]), { message: /reedinessProbe/ });
  container.image = 7;
  t.throws(() => validate(deployment), { message: /image/ });
});

test('a value of the wrong kind, and one that the chart does not have, are refused', async (t) => {
  await t.throwsAsync(render({ encoder: { replicas: 'many' } }), { message: /replicas/ });
  await t.throwsAsync(render({ encoders: {} }), { message: /encoders/ });
});

test('every container runs without root, privileges and a writable root, with a bound on memory', async (t) => {
  const deployments = (await render({ model: { claim: '' } })).filter(isDeployment);
  t.is(deployments.length, 3);
  for (const { metadata, spec } of deployments) {
    const pod = spec.template.spec;
    t.true(pod.securityContext.runAsNonRoot);
    t.false(pod.automountServiceAccountToken);
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
      t.like(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      t.truthy(container.resources.limits.memory, metadata.name);
    }
  }
});

test('the grace period outlasts the stop that a service is given', async (t) => {
  const manifests = await render({ prefillDecode: { stopSeconds: 90 } });
  const pod = find(manifests, 'Deployment', 'fleet-prefill-decode')['spec'].template.spec;
  t.is(find(manifests, 'ConfigMap', 'fleet-prefill-decode')['data'].EPD_STOP_MS, '90000');
  t.true(pod.terminationGracePeriodSeconds > 90);
});

test('settings of a service go before those of all, and the GPU its own', async (t) => {
  const manifests = await render({
    config: { EPD_LOG_LEVEL: 'warn' },
    encoder: { config: { EPD_LOG_LEVEL: 'debug' }, gpu: { enabled: true } },
  });
  t.is(find(manifests, 'ConfigMap', 'fleet-encoder')['data'].EPD_LOG_LEVEL, 'debug');
  t.is(find(manifests, 'ConfigMap', 'fleet-encoder')['data'].EPD_EXECUTION_PROVIDERS, 'webgpu,cpu');
  t.is(find(manifests, 'ConfigMap', 'fleet-api')['data'].EPD_LOG_LEVEL, 'warn');
});

test('a GPU is asked for only by the service that has it on, and leads to its nodes', async (t) => {
  const manifests = await render({ encoder: { gpu: { enabled: true } } });
  const pod = find(manifests, 'Deployment', 'fleet-encoder')['spec'].template.spec;
  t.is(pod.containers[0].resources.limits['nvidia.com/gpu'], 1);
  t.deepEqual(pod.nodeSelector, { 'nvidia.com/gpu.present': 'true' });
  t.is(pod.tolerations[0].key, 'nvidia.com/gpu');
  const other = find(manifests, 'Deployment', 'fleet-prefill-decode')['spec'].template.spec;
  t.is(other.nodeSelector, undefined);
});

test('deployments that are scaled leave their replicas to the scaler', async (t) => {
  const scaled = (await render()).filter(isDeployment);
  t.true(scaled.every(({ spec }) => spec.replicas === undefined));
  const fixed = (await render({ autoscaling: { enabled: false } })).filter(isDeployment);
  t.true(fixed.every(({ spec }) => spec.replicas >= 1));
});

test('the scalers ask for the model of the release, and hold still for a while', async (t) => {
  const manifests = await render({
    model: { name: 'vlm' },
    autoscaling: { matchers: 'namespace="a"' },
  });
  const { spec } = find(manifests, 'ScaledObject', 'fleet-encoder');
  t.is(
    spec.triggers[0].metadata.query,
    'max(epd_queue_cost_tokens{stage="encode",model="vlm",namespace="a"})',
  );
  t.is(spec.minReplicaCount, 0);
  const { scaleDown } = spec.advanced.horizontalPodAutoscalerConfig.behavior;
  t.is(scaleDown.stabilizationWindowSeconds, 300);
});

test('the API may not be led to private addresses, whatever port', async (t) => {
  const { spec } = find(await render(), 'NetworkPolicy', 'fleet-api');
  const open = spec.egress.filter(
    ({ ports, to }: { ports: { port: number }[]; to?: unknown }) =>
      to === undefined && ports.some(({ port }) => [80, 443].includes(port)),
  );
  t.deepEqual(open, []);
});

test('a role for the bucket is bound by an annotation of the service account', async (t) => {
  const role = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/epd' };
  const manifests = await render({ encoder: { serviceAccount: { annotations: role } } });
  t.like(find(manifests, 'ServiceAccount', 'fleet-encoder').metadata, { annotations: role });
});

test('secrets are only in Secrets', async (t) => {
  const manifests = await render({ secret: { values: { EPD_REDIS_URL: 'redis://:hush@host' } } });
  const holders = manifests.filter((manifest) => JSON.stringify(manifest).includes('hush'));
  t.deepEqual(
    holders.map(({ kind }) => kind),
    ['Secret'],
  );
});

function isDeployment({ kind }: Manifest): boolean {
  return kind === 'Deployment';
}

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find(
    (manifest) => manifest.kind === kind && manifest.metadata.name === name,
  );
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
  return found;
}
