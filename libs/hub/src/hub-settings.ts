import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';

/** The Hub's own variables, with the meaning that its Python client gives them. */
export const hubVariables = {
  hfHome: Type.Optional(
    Type.String({
      env: 'HF_HOME',
      path: true,
      description: "The Hub's folder; without it `huggingface` in XDG_CACHE_HOME or ~/.cache",
    }),
  ),
  hfHubCache: Type.Optional(
    Type.String({
      env: 'HF_HUB_CACHE',
      path: true,
      description: 'Where files of the Hub are kept; without it `hub` in HF_HOME',
    }),
  ),
  xdgCacheHome: Type.Optional(
    Type.String({ env: 'XDG_CACHE_HOME', path: true, description: 'See HF_HOME' }),
  ),
  hfToken: Type.Optional(
    Type.String({
      env: 'HF_TOKEN',
      secret: true,
      description:
        'Access token for private and gated models; without it the file `token` in HF_HOME',
    }),
  ),
  hfEndpoint: Type.String({
    env: 'HF_ENDPOINT',
    default: 'https://huggingface.co',
    pattern: '^https?://',
    expects: 'a URL that begins with http:// or https://',
    description: 'Address of the Hub, or of a mirror',
  }),
  hfHubOffline: Type.Boolean({
    env: 'HF_HUB_OFFLINE',
    default: false,
    description: 'Take models from the cache and never ask the Hub',
  }),
};
const hubSchema = Type.Object(hubVariables);
type HubVariables = Static<typeof hubSchema>;

/** Where models come from and where they are kept. */
export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Holds one folder a repository, laid out as the Hub's Python client lays it out. */
  readonly cacheFolder: string;
  readonly token: string | null;
  readonly offline: boolean;
}

export function hubSettings(variables: HubVariables): HubSettings {
  const cacheHome = variables.xdgCacheHome ?? join(homedir(), '.cache');
  const home = variables.hfHome ?? join(cacheHome, 'huggingface');
  return {
    endpoint: variables.hfEndpoint.replace(/\/+$/, ''),
    cacheFolder: variables.hfHubCache ?? join(home, 'hub'),
    token: variables.hfToken ?? savedToken(home),
    offline: variables.hfHubOffline,
  };
}

/** The one that a login with the Hub's own client left. */
function savedToken(home: string): string | null {
  try {
    return readFileSync(join(home, 'token'), 'utf8').trim() || null;
  } catch {
    return null;
  }
}
