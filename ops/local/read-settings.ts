import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { projectPath, readConfig } from '@epd/service';
import type { Static, TObject } from 'typebox';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a fleet that `npm start` has brought up says how it was set. */
const STARTED_HERE = '.data/fleet.env';

/**
 * The settings of the fleet that a command is about, and where they are from: the file that is named, the
 * environment, or, when that names no Redis, the fleet on this machine. Throws ConfigError.
 */
export function readSettings<S extends TObject>(
  schema: S,
  env: Environment,
  file?: string,
): { config: Readonly<Static<S>>; from: string } {
  if (file !== undefined) {
    return { config: readConfig(schema, { ...env, ...fromFile(file) }), from: file };
  }
  if (env['EPD_REDIS_URL'] === undefined && existsSync(projectPath(STARTED_HERE))) {
    return {
      config: readConfig(schema, { ...fromFile(STARTED_HERE), ...env }),
      from: STARTED_HERE,
    };
  }
  return { config: readConfig(schema, env), from: 'the environment' };
}

const fromFile = (path: string): Environment => parseEnv(readFileSync(projectPath(path), 'utf8'));
