import { Redis } from 'ioredis';

/** What a Redis was sent and what it ran, from a time to a later one. */
export interface Traffic {
  /** Bytes from and to clients. */
  readonly bytes: number;
  /** Commands that clients sent, by name; a script by the kind of its first key. */
  readonly sent: ReadonlyMap<string, number>;
  /** Commands that scripts called. */
  readonly inScripts: number;
}

/** Commands of a run of work, by name. Watching slows Redis down: nothing is timed meanwhile. */
export async function trafficOf(url: string, work: () => Promise<void>): Promise<Traffic> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const before = await bytesMoved(redis);
  await work();
  const bytes = (await bytesMoved(redis)) - before;
  const monitor = await redis.monitor();
  const sent = new Map<string, number>();
  let inScripts = 0;
  monitor.on('monitor', (_time: string, args: readonly string[], source: string) => {
    const name = commandName(args);
    if (source === 'lua') inScripts += 1;
    else sent.set(name, (sent.get(name) ?? 0) + 1);
  });
  await work();
  monitor.disconnect();
  redis.disconnect();
  return { bytes, sent, inScripts };
}

/** `evalsha` says nothing by itself: what a script is for shows in its first key, without the job's own part. */
export function commandName(args: readonly string[]): string {
  const [name = '', , count, firstKey] = args;
  const lower = name.toLowerCase();
  if (!lower.startsWith('eval')) return `${lower} ${keyKind(args[1] ?? '')}`.trimEnd();
  const keys = Number(count) > KEYS_OF_ONE_JOB_MAX ? 'many' : count;
  return `script of ${keys} keys, ${keyKind(firstKey ?? '')}`;
}

/** BullMQ's largest script has so many; above it, one script serves several jobs. */
const KEYS_OF_ONE_JOB_MAX = 14;

const ID =
  /[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|(?<=:job:)[^:]+|(?<=generate-[^:]+:)[0-9A-Za-z_-]{16,}/g;
const keyKind = (key: string): string => (key.includes(':') ? key.replace(ID, '<id>') : '');

/** Bytes that went in and out, without those that this look itself takes. */
async function bytesMoved(redis: Redis): Promise<number> {
  const info = await redis.info('stats');
  const of = (field: string): number => Number(new RegExp(`${field}:(\\d+)`).exec(info)?.[1] ?? 0);
  return of('total_net_input_bytes') + of('total_net_output_bytes');
}
