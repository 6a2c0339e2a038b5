import { parseArgs } from 'node:util';
import { modelVariables } from '@epd/hub';
import { ConfigError, fleetConfig, readConfig } from '@epd/service';
import { Type, type Static } from 'typebox';

/** The launcher's own environment. What it hands to the processes is in fleet-environment.ts. */
const launcherConfig = Type.Object({
  ...fleetConfig.store,
  ...fleetConfig.index,
  ...modelVariables,
  host: Type.String({ env: 'EPD_HOST', default: '127.0.0.1', description: 'Address of the API' }),
  port: Type.Integer({
    env: 'EPD_PORT',
    default: 8080,
    minimum: 1,
    maximum: 65_535,
    description: "The API's port; further API processes take the ports after it",
  }),
  redisUrl: Type.Optional(
    Type.String({
      env: 'EPD_REDIS_URL',
      pattern: '^rediss?://',
      expects: 'a URL like redis://user:password@host:6379/0',
      secret: true,
      description: 'A Redis of your own; without it the launcher starts one',
    }),
  ),
  prefix: Type.Optional(
    Type.String({
      env: 'EPD_PREFIX',
      description: 'First part of every Redis key; without it, one for the data folder',
    }),
  ),
  stopMs: Type.Integer({
    env: 'EPD_STOP_MS',
    default: 10_000,
    minimum: 100,
    maximum: 3_600_000,
    description: 'Longest graceful stop of one process in milliseconds',
  }),
});

/** What runs: paths from the project's folder. Tests put other programs in their place. */
interface FleetPrograms {
  readonly api: string;
  readonly encoder: string;
  readonly pd: string;
  readonly index: string;
}

export interface FleetOptions extends Static<typeof launcherConfig> {
  /** Names or folders; each has encoders and PD workers of its own. */
  readonly models: readonly string[];
  /** Of each model. */
  readonly encoders: number;
  readonly pds: number;
  readonly apis: number;
  readonly programs: FleetPrograms;
}

const PROGRAMS: FleetPrograms = {
  api: 'api/src/main.ts',
  encoder: 'workers/encoder/src/main.ts',
  pd: 'workers/prefill-decode/src/main.ts',
  index: 'workers/index/src/main.ts',
};

/** More than any one machine has use for, and few enough to survive a slip of the finger. */
const PROCESSES_MAX = 64;

export const FLEET_USAGE = `  --model NAME     org/name on the Hugging Face Hub, with @revision and :variant, or a folder;
                   given more than once, the fleet serves them all (models/tiny-vlm)
  --encoders N     encoder workers of each model (1)
  --pds N          prefill/decode workers of each model (1)
  --apis N         API processes, on EPD_PORT and the ports after it (1)
  --index          an index of its images, for /v1/images and the gallery, with a worker that keeps it
  --store NAME     folder (default), or s3: the EPD_S3_* given, else an embedded server

Environment: EPD_INDEX, EPD_PORT (8080), EPD_HOST (127.0.0.1), EPD_DATA_DIR (.data), EPD_MODEL, HF_HOME, HF_TOKEN,
EPD_REDIS_URL (else a Redis is started), EPD_PREFIX, EPD_STOP_MS, EPD_LOG_LEVEL,
EPD_S3_ENDPOINT, EPD_S3_BUCKET, EPD_S3_REGION, EPD_S3_ACCESS_KEY_ID, EPD_S3_SECRET_ACCESS_KEY`;

/** The flags of every command that starts a fleet, for `parseArgs`. */
const FLEET_FLAGS = {
  model: { type: 'string', multiple: true },
  encoders: { type: 'string', default: '1' },
  pds: { type: 'string', default: '1' },
  apis: { type: 'string', default: '1' },
  index: { type: 'boolean', default: false },
  store: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Throws ConfigError for the environment and TypeError for flags, with the reason. */
export function fleetOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FleetOptions {
  assertAllGiven(env);
  const { values } = parsed(args);
  const config = readConfig(
    launcherConfig,
    values.store ? { ...env, EPD_STORE: values.store } : env,
  );
  return {
    ...config,
    index: config.index || values.index,
    models: values.model ?? [config.model ?? config.modelDir],
    encoders: count('--encoders', values.encoders, 0),
    pds: count('--pds', values.pds, 0),
    apis: count('--apis', values.apis, 1),
    programs: PROGRAMS,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLEET_FLAGS });
  } catch (error) {
    if (error instanceof TypeError) error.message += '\nnpm start -- --help lists the flags';
    throw error;
  }
}

/** npm keeps a flag that comes before `--` for itself, and hands it over in the environment alone. */
function assertAllGiven(env: Readonly<Record<string, string | undefined>>): void {
  for (const flag of Object.keys(FLEET_FLAGS)) {
    const value = env[`npm_config_${flag}`];
    if (flag === 'help' || value === undefined) continue;
    const expected = `after "--", which ends npm's own flags: npm start -- --${flag}${value === 'true' ? '' : ` ${value}`}`;
    throw new ConfigError([{ variable: `--${flag}`, expected, value }]);
  }
}

function count(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= PROCESSES_MAX) return value;
  const expected = `an integer from ${least} to ${PROCESSES_MAX}`;
  throw new ConfigError([{ variable: flag, expected, value: text }]);
}
