import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Pod } from 'kubernetes-models/v1/Pod';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parseAllDocuments, stringify } from 'yaml';
import { helmBinary } from '../../tools/helm.ts';
import { run } from '../../tools/run.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [part: string]: unknown;
}

const CHART = projectPath('infra/helm/epd-fleet');

const KINDS = [
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  ScaledObject,
  Secret,
  Service,
  ServiceAccount,
];

const PACKAGES: Readonly<Record<string, string>> = {
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/** What the chart does not do without. */
const KEYS = { EPD_API_KEYS: 'tenant:a-key-of-some-length' };

/** What is at a path like `spec.template.0`; undefined when there is nothing. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], value);
}

export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find(
    (manifest) => manifest.kind === kind && manifest.metadata.name === name,
  );
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
  return found;
}

/** What helm makes of the chart with these values over its own. Throws what helm complains about. */
export async function render(values: object = {}, namespace = 'default'): Promise<Manifest[]> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-chart-'));
  try {
    const path = join(folder, 'values.yaml');
    await writeFile(path, stringify({ secret: { values: KEYS }, ...values }));
    const args = ['template', 'fleet', CHART, '-f', path, '--namespace', namespace];
    const yaml = await run(await helmBinary(), args, { env: { HOME: folder } });
    return parseAllDocuments(yaml)
      .map((document) => document.toJS() as Manifest | null)
      .filter((manifest) => manifest !== null);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Throws when a value in a manifest is not what the schemas of Kubernetes, KEDA or the operator admit. */
export function validate(manifest: Manifest): void {
  const { apiVersion, kind } = manifest;
  const Model = KINDS.find((model) => model.apiVersion === apiVersion && model.kind === kind);
  if (Model === undefined) throw new Error(`No schema for ${apiVersion} ${kind}`);
  new Model(manifest as never).validate();
}

/**
 * Throws when a manifest has a property that its kind does not know. The schemas admit those, as a
 * cluster does (it drops them); the types of the same packages do not, so the compiler is asked.
 */
export async function checkProperties(manifests: readonly Manifest[]): Promise<void> {
  const parent = projectPath('.cache/manifests');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'check-'));
  try {
    const path = join(folder, 'manifests.ts');
    await writeFile(path, manifests.map(typed).join('\n'));
    const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck'];
    await run('tsc', [...options, '--module', 'nodenext', '--target', 'esnext', path]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function typed(manifest: Manifest, index: number): string {
  const { apiVersion, kind } = manifest;
  const source = PACKAGES[apiVersion.split('/')[0]!] ?? `kubernetes-models`;
  const type = `import('${source}/${apiVersion}/${kind}').I${kind}`;
  return `export const manifest${index}: ${type} = ${JSON.stringify(manifest, null, 1)};`;
}
