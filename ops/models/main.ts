import { parseArgs } from 'node:util';
import { modelVariables } from '@epd/hub';
import { ConfigError, readConfig } from '@epd/service';
import { Type } from 'typebox';
import { complain, say } from '../local/with-fleet.ts';
import { checkModel, type ImageSide } from './check-model.ts';
import { listModels } from './list-models.ts';
import { pullModel } from './pull-model.ts';
import { removeModel } from './remove-model.ts';
import { rolesOf } from './roles.ts';

const USAGE = `npm run models -- COMMAND

  pull NAME [--for encoder|pd]   fetch a model's files into the cache; with --for, one worker's
  ls                             what the cache holds
  rm NAME                        remove a model from the cache
  check NAME [--size 1024x768]   what a model needs, what of it runs where, and what a picture costs

NAME is a folder, or org/name, org/name@revision, org/name:q4 or org/name:vision=fp16,decoder=q4.
HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE mean what they mean to the Hub's own tools.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    for: { type: 'string' },
    size: { type: 'string', default: '1024x768' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [command, name] = positionals;
if (values.help || command === undefined) say(USAGE);
else await run(command).catch(complain);

async function run(verb: string): Promise<void> {
  const config = readConfig(Type.Object(modelVariables));
  switch (verb) {
    case 'ls':
      return listModels(config, say);
    case 'pull':
      return pullModel(config, required(name), rolesOf(values.for), say);
    case 'check':
      return checkModel(config, required(name), sizeOf(values.size), say);
    case 'rm':
      return removeModel(config, required(name), say);
    default:
      throw new Error(`Expected pull, ls, rm or check, got ${JSON.stringify(verb)}\n\n${USAGE}`);
  }
}

function sizeOf(text: string): ImageSide {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  if (width !== undefined) return { width: Number(width), height: Number(height) };
  throw new ConfigError([{ variable: '--size', expected: 'as 1024x768', value: text }]);
}

function required(text: string | undefined): string {
  if (text !== undefined) return text;
  throw new Error(`Expected a model's name, got nothing\n\n${USAGE}`);
}
