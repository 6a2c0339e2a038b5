import type { Fleet } from './fleet.ts';
import { shown } from './shown-path.ts';

/** What runs where, for whoever started it. */
export function summary({ urls, options, environmentFile }: Fleet): string {
  const { apis, encoders, pds, modelDir, dataDir } = options;
  const size = [
    counted(apis, 'API process', 'API processes'),
    counted(encoders, 'encoder', 'encoders'),
    counted(pds, 'prefill/decode worker', 'prefill/decode workers'),
  ];
  return [
    '',
    `The fleet is up: ${size.join(', ')}.`,
    `  API             ${urls.join('  ')}`,
    `  documentation   ${urls[0]}/docs`,
    `  model           ${shown(modelDir)}`,
    `  data and logs   ${shown(dataDir)}`,
    `  another worker  (set -a; . ${shown(environmentFile)}; npm run -w workers/encoder start)`,
    '',
  ].join('\n');
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
