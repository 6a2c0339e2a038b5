import { lines, query, stacked, type Row } from './panel.ts';

const MODEL = 'model=~"$model"';

/** For capacity planning: the cost of each stage and the utilization of each worker. */
export const workerRows: readonly Row[] = [
  {
    title: 'Encoders',
    panels: [
      lines('Batch time', 's', 'Mean time of a forward pass, by images per batch.', [
        query(
          `sum by (batch) (rate(epd_encode_batch_seconds_sum{${MODEL}}[$__rate_interval])) / sum by (batch) (rate(epd_encode_batch_seconds_count{${MODEL}}[$__rate_interval]))`,
          '{{batch}} images',
        ),
      ]),
      lines('Images per second', 'ops', 'By outcome.', [
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
      lines('Claimed again', 'ops', 'Encode jobs whose encoder crashed or stalled.', [
        query(`sum(rate(epd_encode_redispatches_total{${MODEL}}[$__rate_interval]))`, 'again'),
      ]),
      lines('Utilization', 'percentunit', 'Share of time in forward passes, by encoder.', [
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
      lines('Decode batch size', 'short', 'Sequences that decode together, by worker.', [
        query(`epd_batch_rows{${MODEL}}`, '{{instance}}'),
      ]),
      stacked('KV cache', 'bytes', 'By state: slots, and cached prefix blocks (parked).', [
        query(`sum by (state) (epd_kv_bytes{${MODEL}})`, '{{state}}'),
      ]),
      lines('Prefix cache hits', 'ops', 'Prompt tokens that needed no prefill.', [
        query(`sum(rate(epd_prefix_hit_tokens_total{${MODEL}}[$__rate_interval]))`, 'tokens'),
      ]),
      lines('Drafted tokens', 'ops', 'Of answers that copy: all, and those that were kept.', [
        query(`sum(rate(epd_draft_tokens_total{${MODEL}}[$__rate_interval]))`, 'drafted'),
        query(`sum(rate(epd_draft_tokens_accepted_total{${MODEL}}[$__rate_interval]))`, 'kept'),
      ]),
      lines('Preemptions', 'ops', 'Sequences preempted because KV cache memory ran out.', [
        query(`sum(rate(epd_preemptions_total{${MODEL}}[$__rate_interval]))`, 'sequences'),
      ]),
      lines(
        'Jobs resumed from another worker',
        'ops',
        'It was lost with the job, or returned it to the queue.',
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
      stacked('Not found', 'ops', 'By reason; anything but absent means damage.', [
        query('sum by (reason) (rate(epd_ec_misses_total[$__rate_interval]))', '{{reason}}'),
      ]),
      lines(
        'Encodes requested and joined',
        'ops',
        'Joined: already requested for another job (single flight).',
        [
          query('sum(rate(epd_ec_requests_total[$__rate_interval]))', 'requested'),
          query('sum(rate(epd_ec_joins_total[$__rate_interval]))', 'joined'),
        ],
      ),
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
      lines('Event loop lag, p99', 's', 'Above some seconds, workers lose their locks.', [
        query('nodejs_eventloop_lag_p99_seconds{job=~"epd-.*"}', '{{job}} {{instance}}'),
      ]),
    ],
  },
];
