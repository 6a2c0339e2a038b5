import { join } from 'node:path';
import { debianPackages } from './debian.ts';

/** Paths of Debian's `prometheus` and `promtool`. */
export async function prometheusTools(): Promise<{ prometheus: string; promtool: string }> {
  const folder = await debianPackages('prometheus', ['prometheus']);
  return {
    prometheus: join(folder, 'usr/bin/prometheus'),
    promtool: join(folder, 'usr/bin/promtool'),
  };
}
