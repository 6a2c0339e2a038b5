import { freePort, otlpCollector, testPrefix } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { launchFleet, logOnFailure, sharedOwner, type Fleet } from './fleet.ts';
import { userOfTheHandbook } from './redis-user.ts';

type Collector = Awaited<ReturnType<typeof otlpCollector>>;
type Worker = 'encoder' | 'prefill-decode' | 'index';

/** A fleet that changes for no test, with everything switched on: traces, the index, a log of every detail. */
export interface SharedFleet extends Fleet {
  readonly spans: Collector['spans'];
  readonly traces: Collector['bodies'];
  /** Where each process answers `/metrics`. */
  readonly metrics: Readonly<Record<Worker | 'api', string>>;
  /** Its user in Redis, who may do what the handbook says and nothing more. */
  readonly redisUser: string;
}

const owner = sharedOwner();
let started: Promise<SharedFleet> | null = null;

test.after.always('the fleet of these tests ends', () => owner.end());

/** The one fleet of all tests of this process that ask for it; the first of them waits for its start. */
export async function sharedFleet(t: ExecutionContext): Promise<SharedFleet> {
  t.timeout(180_000);
  const fleet = await (started ??= start());
  logOnFailure(t, fleet);
  return fleet;
}

async function start(): Promise<SharedFleet> {
  const collector = await otlpCollector(owner);
  const prefix = testPrefix();
  const { name, url } = await userOfTheHandbook(owner, prefix);
  const fleet = await launchFleet(owner, {
    encoders: 0,
    pds: 0,
    store: 's3',
    env: {
      EPD_REDIS_URL: url,
      EPD_PREFIX: prefix,
      EPD_LOG_LEVEL: 'trace',
      EPD_OTLP_ENDPOINT: collector.url,
      EPD_INDEX: 'true',
    },
  });
  const workers: Record<Worker, string> = { encoder: '', 'prefill-decode': '', index: '' };
  for (const role of ['encoder', 'prefill-decode', 'index'] as const) {
    const port = String(await freePort());
    fleet.start(role, { EPD_METRICS_PORT: port });
    workers[role] = `http://127.0.0.1:${port}`;
  }
  await fleet.ready(2);
  return Object.assign(fleet, {
    spans: collector.spans,
    traces: collector.bodies,
    metrics: { api: fleet.url, ...workers },
    redisUser: name,
  });
}
