import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FleetOptions } from './fleet-options.ts';
import { coreSettings } from './share-of-cores.ts';

export interface S3Location {
  readonly endpoint: string | undefined;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly forcePathStyle: boolean;
}

type Environment = Record<string, string | undefined>;

/**
 * Keys of one fleet. A Redis that the launcher starts is the fleet's alone; on a shared one the data
 * folder tells fleets apart, and a fleet finds its jobs again after a restart.
 */
export function fleetPrefix({ prefix, redisUrl, dataDir }: FleetOptions): string {
  if (prefix) return prefix;
  return redisUrl ? `epd-${createHash('sha256').update(dataDir).digest('hex').slice(0, 8)}` : 'epd';
}

/** Only what the fleet set, one `NAME='value'` a line, for a shell to read. It may hold keys: 0600. */
export async function writeEnvironmentFile(file: string, env: Environment): Promise<void> {
  const lines = Object.entries(env)
    .filter(([name, value]) => name.startsWith('EPD_') && value !== undefined)
    .map(([name, value]) => `${name}='${String(value).replaceAll("'", `'\\''`)}'\n`);
  await writeFile(file, lines.toSorted().join(''), { mode: 0o600 });
}

/** What every process of the fleet is given: the launcher's own environment, and where things are. */
export function sharedEnvironment(
  options: FleetOptions,
  { redisUrl, s3 }: { readonly redisUrl: string; readonly s3: S3Location | null },
): Environment {
  return {
    // glibc never returns the memory of its arenas, one a thread: an encoder would grow for thousands of pictures.
    MALLOC_ARENA_MAX: '2',
    ...process.env,
    EPD_REDIS_URL: redisUrl,
    EPD_PREFIX: fleetPrefix(options),
    EPD_DATA_DIR: options.dataDir,
    EPD_INDEX: String(options.index),
    EPD_STORE: options.store,
    EPD_STORE_DIR: options.storeDir ?? join(options.dataDir, 'store'),
    EPD_STOP_MS: String(options.stopMs),
    EPD_METRICS_HOST: '127.0.0.1',
    EPD_METRICS_PORT: '0',
    ...coreSettings((options.encoders + options.pds) * options.models.length),
    ...(s3 ? s3Environment(s3) : {}),
  };
}

function s3Environment(s3: S3Location): Environment {
  return {
    EPD_S3_ENDPOINT: s3.endpoint,
    EPD_S3_BUCKET: s3.bucket,
    EPD_S3_REGION: s3.region,
    EPD_S3_ACCESS_KEY_ID: s3.accessKeyId,
    EPD_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    EPD_S3_FORCE_PATH_STYLE: String(s3.forcePathStyle),
  };
}
