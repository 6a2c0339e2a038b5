import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';

/** Which model a process serves, and the Hub's own variables with the meaning that its Python client gives them. */
export const modelVariables = {
  model: Type.Optional(
    Type.String({
      env: 'EPD_MODEL',
      description:
        'The model: `org/name` on the Hugging Face Hub, with `@revision` and `:variant` (`:q4`, `:vision=fp16,decoder=q4`), or a folder',
    }),
  ),
  modelDir: Type.String({
    env: 'EPD_MODEL_DIR',
    default: 'models/tiny-vlm',
    path: true,
    description:
      "Without EPD_MODEL: the model's folder, in the layout of ONNX exports on the Hugging Face Hub",
  }),
  modelName: Type.Optional(
    Type.String({
      env: 'EPD_MODEL_NAME',
      minLength: 1,
      maxLength: 200,
      description: 'What requests call the model; without it, its name on the Hub or its folder',
    }),
  ),
  imageTokensMax: Type.Integer({
    env: 'EPD_IMAGE_TOKENS_MAX',
    default: 4096,
    minimum: 1,
    maximum: 65_536,
    description:
      'Visual tokens that one image may take: a larger one is scaled down, by models that take any size. The same for all workers of a model',
  }),
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
const modelSchema = Type.Object(modelVariables);
/** A configuration that spreads `modelVariables`. */
export type ModelConfig = Static<typeof modelSchema>;

/** Where models come from and where they are kept. */
export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Holds one folder a repository, laid out as the Hub's Python client lays it out. */
  readonly cacheFolder: string;
  readonly token: string | null;
  readonly offline: boolean;
}

export function hubSettings(variables: ModelConfig): HubSettings {
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
