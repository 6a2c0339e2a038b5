import { matchesGlob } from 'node:path';

/** How a test file is run. */
export type Lane =
  /** In one process with many others: it keeps to prefixes and folders of its own and is soon loaded. */
  | 'together'
  /** As `together`, in a process where little runs at once: it computes with a model. */
  | 'models'
  /** As `together`, in a process that starts one fleet for all of them: they leave it as it is. */
  | 'served'
  /** In a process of its own: it starts processes, or changes what a process has once. */
  | 'alone'
  /** Not in `npm test`: it kills processes, or wants a browser, Helm, Prometheus or a proxy. */
  | 'fleet';

const LANES: Readonly<Record<Exclude<Lane, 'together'>, readonly string[]>> = {
  fleet: [
    'api/test/clients/**',
    'api/test/protocols/page/**',
    'ops/test/compose/proxy.test.ts',
    'ops/test/helm/**',
    'ops/test/local/fleet.test.ts',
    'ops/test/prometheus/**',
    'ops/test/tools/**',
    'test/chaos*.test.ts',
    'test/attacks-on-a-fleet.test.ts',
    'test/two-families-under-load.test.ts',
    'test/videos-are-watched.test.ts',
    'test/fleet-under-load.test.ts',
    'test/openapi-tools.test.ts',
  ],
  served: ['test/served/**'],
  models: [
    'workers/encoder/test/graph/**',
    'workers/encoder/test/vision/**',
    'workers/prefill-decode/test/engine/**',
    'workers/prefill-decode/test/graph/**',
    'workers/prefill-decode/test/job/generate-processor.test.ts',
    'workers/prefill-decode/test/runner/**',
  ],
  alone: [
    'api/test/main.test.ts',
    'bench/test/awake/**',
    'bench/test/fleet/**',
    'bench/test/model/**',
    'bench/test/peer/families.test.ts',
    'bench/test/peer/peer.test.ts',
    'libs/connector/test/ec/connector-factory.test.ts',
    'libs/connector/test/encodes/fleet-single-flight.test.ts',
    'libs/hub/test/fetch-model.test.ts',
    'libs/service/test/run-service.test.ts',
    'libs/service/test/tracing.test.ts',
    'ops/test/bootstrap.test.ts',
    'ops/test/doctor/main.test.ts',
    'ops/test/local/managed-process.test.ts',
    'ops/test/simulate/main.test.ts',
    'test/*.test.ts',
    'workers/encoder/test/encode/encode-worker.test.ts',
    'workers/encoder/test/service.test.ts',
    'workers/prefill-decode/test/engine/golden.test.ts',
    'workers/prefill-decode/test/engine/random-arrivals.test.ts',
  ],
};

/** What a real S3 server is for: these run once more in the lane `fleet` when there is one. */
export const REAL_S3 = 'libs/connector/test/stores/s3-store.test.ts';

/** The lane of a file, named by its path in the project. What no pattern names runs together. */
export function laneOf(file: string): Lane {
  const named = (lane: Exclude<Lane, 'together'>): boolean =>
    LANES[lane].some((pattern) => matchesGlob(file, pattern));
  return (
    (['fleet', 'served', 'alone', 'models'] as const).find((lane) => named(lane)) ?? 'together'
  );
}
