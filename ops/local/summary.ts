import { networkInterfaces } from 'node:os';
import type { Fleet } from './fleet.ts';
import { shown } from './shown-path.ts';

/** The processes and their addresses, as printed at the start. */
export function summary({ urls, options, models, environmentFile }: Fleet): string {
  const { apis, index, dataDir } = options;
  const [encoders, pds] = [options.encoders * models.length, options.pds * models.length];
  const size = [
    counted(apis, 'API process', 'API processes'),
    counted(encoders, 'encoder', 'encoders'),
    counted(pds, 'prefill/decode worker', 'prefill/decode workers'),
    ...(index ? ['an index worker'] : []),
  ];
  return [
    '',
    `The fleet is up: ${size.join(', ')}.`,
    `  API             ${urls.map((url) => `${url}/v1`).join('  ')}  (OpenAI clients: this as base URL)`,
    ...elsewhere(options).map((url) => `  from elsewhere  ${url}/v1`),
    `  documentation   ${urls[0]}/docs`,
    ...(index ? [`  gallery         ${urls[0]}/gallery`] : []),
    ...models.map((model) => `  model           ${model.id} (${model.shown})`),
    ...(models.some(({ shown: path }) => path.endsWith('models/tiny-vlm'))
      ? [
          '                  a toy that knows drawn scenes; a real one: --model HuggingFaceTB/SmolVLM-256M-Instruct:q4',
        ]
      : []),
    `  data and logs   ${shown(dataDir)}`,
    `  another worker  (set -a; . ${shown(environmentFile)}; npm run -w workers/encoder start)`,
    '',
  ].join('\n');
}

/** The first API process as other machines reach it: nowhere, unless it listens on every address. */
function elsewhere({ host, port }: Fleet['options']): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => `http://${address}:${port}`);
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
