/** The processes that are scraped, by the jobs of the rules. */
const PROCESSES: Readonly<Record<string, string>> = {
  'epd-api': 'API',
  'epd-encoder': 'Encoder',
  'epd-index': 'Index worker',
  'epd-prefill-decode': 'Prefill/decode worker',
};

interface Metric {
  readonly type: string;
  readonly help: string;
  readonly reportedBy: readonly string[];
}

/** `docs/metrics.md` as it should be, from what each process answers to a scrape. */
export function metricsReference(scraped: Readonly<Record<string, string>>): string {
  const metrics = new Map<string, Metric>();
  for (const [job, text] of Object.entries(scraped)) {
    for (const [, name = '', help = '', type = ''] of text.matchAll(HEAD)) {
      const reportedBy = [...(metrics.get(name)?.reportedBy ?? []), PROCESSES[job] ?? job];
      metrics.set(name, { help, type, reportedBy });
    }
  }
  const rows = [...metrics].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    '# Metrics',
    '',
    'Made of what a running fleet answers by `node ops/docs/write-metrics.ts URL…` (the addresses of an API,',
    'an encoder, a prefill/decode worker and an index worker); a test holds it current. Every metric of an encoder or',
    'prefill/decode worker, and of the queues, has the label `model`. Each process also reports the usual `process_*` and `nodejs_*`.',
    '',
    '| metric | type | what it is | reported by |',
    '| --- | --- | --- | --- |',
    ...rows.map(([name, { type, help, reportedBy }]) => {
      return `| \`${name}\` | ${type} | ${help} | ${reportedBy.join(', ')} |`;
    }),
    '',
  ].join('\n');
}

const HEAD = /^# HELP (epd_\w+) (.*)\n# TYPE \1 (\w+)$/gm;
