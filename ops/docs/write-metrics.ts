import { writeFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { metricsReference } from './metrics-reference.ts';

/** `node ops/docs/write-metrics.ts API ENCODER PREFILL_DECODE INDEX`: the addresses of four processes. */
const [api, encoder, prefillDecode, index] = process.argv.slice(2);
const scraped: Record<string, string> = {};
for (const [job, url] of Object.entries({
  'epd-api': api,
  'epd-encoder': encoder,
  'epd-prefill-decode': prefillDecode,
  'epd-index': index,
})) {
  scraped[job] = await (await fetch(new URL('/metrics', url))).text();
}
await writeFile(projectPath('docs/metrics.md'), metricsReference(scraped));
