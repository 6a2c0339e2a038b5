import { lines, query, stacked, type Row } from './panel.ts';

const MODEL = 'model=~"$model"';

/** For whoever sizes the fleet: what each stage costs and how well each worker is used. */
export const workerRows: readonly Row[] = [
  {
    title: 'Encoders',
    panels: [
      lines('Seconds of a batch', 's', 'Mean of a forward pass by the images in it.', [
        query(
          `sum by (batch) (rate(epd_encode_batch_seconds_sum{${MODEL}}[$__rate_interval])) / sum by (batch) (rate(epd_encode_batch_seconds_count{${MODEL}}[$__rate_interval]))`,
          '{{batch}} images',
        ),
      ]),
      lines('Images a second', 'ops', 'By outcome.', [
        query(
          `sum by (outcome) (rate(epd_encode_items_total{${MODEL}}[$__rate_interval]))`,
          '{{outcome}}',
        ),
      ]),
      lines('Preprocessing, p95', 's', 'Decoding and resizing of one image.', [
        query(
          `histogram_quantile(0.95, sum by (le) (rate(epd_encode_preprocess_seconds_bucket{${MODEL}}[$__rate_interval])))`,
          'p95',
        ),
      ]),
      lines('Handed out again', 'ops', 'Encodes whose encoder died or stalled.', [
        query(`sum(rate(epd_encode_redispatches_total{${MODEL}}[$__rate_interval]))`, 'again'),
      ]),
      lines('Busy share', 'percentunit', 'Of each encoder: time in forward passes.', [
        query(
          `sum by (instance) (rate(epd_encode_batch_seconds_sum{${MODEL}}[$__rate_interval]))`,
          '{{instance}}',
        ),
      ]),
    ],
  },
  {
    title: 'Prefill and decode',
    panels: [
      lines('Rows in a step', 'short', 'Sequences that decode together, by worker.', [
        query(`epd_batch_rows{${MODEL}}`, '{{instance}}'),
      ]),
      stacked('KV cache', 'bytes', 'By what holds it.', [
        query(`sum by (state) (epd_kv_bytes{${MODEL}})`, '{{state}}'),
      ]),
      lines('Prompt tokens found in the KV cache', 'ops', 'Prefill that was not needed.', [
        query(`sum(rate(epd_prefix_hit_tokens_total{${MODEL}}[$__rate_interval]))`, 'tokens'),
      ]),
      lines('Put back for want of KV memory', 'ops', 'They are prefilled again.', [
        query(`sum(rate(epd_preemptions_total{${MODEL}}[$__rate_interval]))`, 'sequences'),
      ]),
      lines(
        'Taken over from another worker',
        'ops',
        'It was lost with the job, or handed it back.',
        [
          query(
            `sum by (after) (rate(epd_job_takeovers_total{${MODEL}}[$__rate_interval]))`,
            '{{after}}',
          ),
        ],
      ),
    ],
  },
  {
    title: 'Embeddings',
    panels: [
      stacked('Found', 'ops', 'By the tier that had it.', [
        query('sum by (tier) (rate(epd_ec_hits_total[$__rate_interval]))', '{{tier}}'),
      ]),
      stacked('Not found', 'ops', 'By reason; anything but absent is damage.', [
        query('sum by (reason) (rate(epd_ec_misses_total[$__rate_interval]))', '{{reason}}'),
      ]),
      lines('Encodes asked for and joined', 'ops', 'Joined: somebody else had asked already.', [
        query('sum(rate(epd_ec_requests_total[$__rate_interval]))', 'asked'),
        query('sum(rate(epd_ec_joins_total[$__rate_interval]))', 'joined'),
      ]),
      lines('Bytes loaded', 'Bps', 'By tier.', [
        query('sum by (tier) (rate(epd_ec_loaded_bytes_total[$__rate_interval]))', '{{tier}}'),
      ]),
      lines('Object store, p95', 's', 'By operation.', [
        query(
          'histogram_quantile(0.95, sum by (op, le) (rate(epd_store_seconds_bucket[$__rate_interval])))',
          '{{op}}',
        ),
      ]),
      lines('Object store', 'Bps', 'By operation.', [
        query('sum by (op) (rate(epd_store_bytes_total[$__rate_interval]))', '{{op}}'),
      ]),
    ],
  },
  {
    title: 'Processes',
    panels: [
      lines('Memory', 'bytes', 'Resident, by process.', [
        query('process_resident_memory_bytes{job=~"epd-.*"}', '{{job}} {{instance}}'),
      ]),
      lines('CPU', 'percentunit', 'Cores in use, by process.', [
        query(
          'rate(process_cpu_seconds_total{job=~"epd-.*"}[$__rate_interval])',
          '{{job}} {{instance}}',
        ),
      ]),
      lines('Event loop lag, p99', 's', 'Past some seconds, locks are lost.', [
        query('nodejs_eventloop_lag_p99_seconds{job=~"epd-.*"}', '{{job}} {{instance}}'),
      ]),
    ],
  },
];
