import { withoutPassword } from '@epd/service';
import { Redis } from 'ioredis';
import { fail, guarded, milliseconds, ok, warn, type Finding } from './finding.ts';

const LEAST_VERSION = [6, 2] as const;
const PINGS = 50;
const LATENCY_MS_WARN = 5;
/** Deadlines and leases go by Redis's clock; retries of jobs, spans and logs of several processes do not. */
const SKEW_MS_WARN = 500;
const SKEW_MS_FAIL = 3_000;
const MEMORY_WARN = 0.8;

/**
 * A server that is given `config` and checked for what the fleet depends on. Leaves no key behind.
 */
export function checkRedis(url: string, prefix: string): Promise<Finding[]> {
  return guarded(
    'redis',
    (error) => connectionFix(error, withoutPassword(url)),
    async () => {
      const redis = new Redis(url, {
        lazyConnect: true,
        retryStrategy: () => null,
        connectTimeout: 5_000,
      });
      // What `connect` rejects with says only that the connection was closed.
      let reason: unknown;
      redis.on('error', (error) => (reason = error));
      try {
        await redis.connect().catch((error: unknown) => {
          throw reason ?? error;
        });
        const facts = parseInfo(await redis.info());
        return [
          version(facts),
          eviction(facts),
          persistence(facts),
          memory(facts),
          await latency(redis),
          await clock(redis),
          await scripts(redis, prefix),
        ];
      } finally {
        redis.disconnect();
      }
    },
  );
}

function connectionFix(error: unknown, url: string): string {
  const said = error instanceof Error ? error.message : '';
  if (/WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(said)) {
    return `Put the right user and password into EPD_REDIS_URL (now ${url})`;
  }
  if (/SSL|TLS|wrong version number/i.test(said) || url.startsWith('rediss:')) {
    return `Start Redis or Valkey with TLS at ${url}, or use redis:// for one without`;
  }
  return `Start Redis or Valkey, or set EPD_REDIS_URL (now ${url})`;
}

type Facts = ReadonlyMap<string, string>;

export function parseInfo(info: string): Facts {
  const lines = info.split('\r\n').filter((line) => line.includes(':') && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

export function version(facts: Facts): Finding {
  const valkey = facts.get('valkey_version');
  const text = facts.get('redis_version') ?? '0';
  const [major = 0, minor = 0] = text.split('.').map(Number);
  const found = valkey === undefined ? `Redis ${text}` : `Valkey ${valkey}`;
  const recent =
    major > LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor >= LEAST_VERSION[1]);
  return recent
    ? ok('redis version', found)
    : fail('redis version', found, 'Use Redis 6.2 or Valkey 7.2 or newer');
}

export function eviction(facts: Facts): Finding {
  const policy = facts.get('maxmemory_policy') ?? 'unknown';
  if (policy === 'noeviction') return ok('redis eviction', policy);
  const fix =
    'CONFIG SET maxmemory-policy noeviction, and in its configuration: evicted keys are lost jobs';
  // Without a limit nothing is evicted, yet a limit may be set at any time.
  return facts.get('maxmemory') === '0'
    ? warn('redis eviction', `${policy}, without a memory limit`, fix)
    : fail('redis eviction', policy, fix);
}

export function persistence(facts: Facts): Finding {
  const check = 'redis persistence';
  if (facts.get('aof_enabled') !== '1') {
    const fix =
      'CONFIG SET appendonly yes, and appendfsync everysec: a restart loses every job without it';
    return warn(check, 'no append-only file', fix);
  }
  const [write, rewrite] = ['aof_last_write_status', 'aof_last_bgrewrite_status'].map((name) =>
    facts.get(name),
  );
  return write === 'ok' && rewrite === 'ok'
    ? ok(check, 'append-only file')
    : fail(
        check,
        `the append-only file fails (write ${write}, rewrite ${rewrite})`,
        'Look at the disk of Redis',
      );
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

export function memory(facts: Facts): Finding {
  const [used, most] = ['used_memory', 'maxmemory'].map((name) => Number(facts.get(name) ?? 0)) as [
    number,
    number,
  ];
  if (most === 0) return ok('redis memory', `${mebibytes(used)} used, no limit`);
  const found = `${mebibytes(used)} of ${mebibytes(most)} used`;
  const fix = 'Raise maxmemory: at the limit every write fails and no job is accepted';
  return used / most > MEMORY_WARN ? warn('redis memory', found, fix) : ok('redis memory', found);
}

async function latency(redis: Redis): Promise<Finding> {
  const times: number[] = [];
  for (let turn = 0; turn < PINGS; turn += 1) {
    const begin = performance.now();
    await redis.ping();
    times.push(performance.now() - begin);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[PINGS / 2]!;
  const found = `${milliseconds(median)} for a ping, ${milliseconds(sorted[PINGS - 1]!)} at worst`;
  const fix = 'Bring the processes nearer to Redis: a token costs a round trip';
  return median > LATENCY_MS_WARN ? warn('redis latency', found, fix) : ok('redis latency', found);
}

async function clock(redis: Redis): Promise<Finding> {
  const before = Date.now();
  const [seconds, microseconds] = await redis.time();
  const here = (before + Date.now()) / 2;
  return skew(here - (Number(seconds) * 1000 + Number(microseconds) / 1000));
}

export function skew(ms: number): Finding {
  const found = `${milliseconds(Math.abs(ms))} ${ms > 0 ? 'ahead of' : 'behind'} Redis's`;
  const fix = 'Keep clocks with NTP (chrony, systemd-timesyncd) on every host';
  if (Math.abs(ms) > SKEW_MS_FAIL) return fail('clock', found, fix);
  return Math.abs(ms) > SKEW_MS_WARN ? warn('clock', found, fix) : ok('clock', found);
}

/** What ACLs of a managed Redis may forbid: scripts, streams, and keys under the prefix. */
async function scripts(redis: Redis, prefix: string): Promise<Finding> {
  const key = `${prefix}:doctor:${crypto.randomUUID()}`;
  const source = "redis.call('XADD', KEYS[1], '*', 'a', '1') return redis.call('DEL', KEYS[1])";
  try {
    await redis.eval(source, 1, key);
    await redis.publish(key, '');
    return ok('redis rights', `scripts, streams and channels under ${prefix}:`);
  } catch (error) {
    const fix = `Allow this user ~${prefix}:* &${prefix}:* +@all -@admin -@dangerous +info`;
    return fail('redis rights', error instanceof Error ? error.message : String(error), fix);
  }
}
