import { GRAPHS, type Graph } from '@epd/hub';
import { ConfigError } from '@epd/service';

/** The graphs that each worker loads. */
const ROLES: Readonly<Record<string, readonly Graph[]>> = {
  encoder: ['vision_encoder'],
  pd: ['embed_tokens', 'decoder_model_merged'],
};

/** The graphs of a worker, or of both. Throws ConfigError. */
export function rolesOf(role: string | undefined): readonly Graph[] {
  if (role === undefined) return GRAPHS;
  const graphs = Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (graphs) return graphs;
  throw new ConfigError([{ variable: '--for', expected: 'encoder or pd', value: role }]);
}
