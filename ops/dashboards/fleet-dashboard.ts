import { lines, query, stacked, stat, type Row } from './panel.ts';

const quantiles = (metric: string, by: string): ReturnType<typeof query>[] =>
  [0.5, 0.95, 0.99].map((share) =>
    query(
      `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{${by}}[$__rate_interval])))`,
      `p${share * 100}`,
    ),
  );
const MODEL = 'model=~"$model"';

/** For the engineer on call: health, queues, latencies, losses. */
export const fleetRows: readonly Row[] = [
  {
    title: 'Health',
    panels: [
      stat('Jobs lost', 'short', 'Must be 0, always.', 'sum(epd_jobs_lost_total)'),
      stat('Live jobs', 'short', 'Accepted and not ended.', 'max(epd_jobs_live)'),
      stat(
        'TTFT p95',
        's',
        'From accepting a request to its first token.',
        `histogram_quantile(0.95, sum by (le) (rate(epd_ttft_seconds_bucket{${MODEL}}[5m])))`,
      ),
      stat(
        'Errors of the API',
        'percentunit',
        'Share of responses with 5xx.',
        'sum(rate(epd_http_request_seconds_count{status=~"5.."}[5m])) / sum(rate(epd_http_request_seconds_count[5m])) or vector(0)',
      ),
      stat('Encoders', 'short', 'Processes that respond.', 'sum(up{job="epd-encoder"})'),
      stat(
        'Prefill/decode',
        'short',
        'Processes that respond.',
        'sum(up{job="epd-prefill-decode"})',
      ),
    ],
  },
  {
    title: 'Requests',
    panels: [
      lines('Requests per second', 'reqps', 'By route.', [
        query(
          'sum by (route) (rate(epd_http_request_seconds_count[$__rate_interval]))',
          '{{route}}',
        ),
      ]),
      lines('HTTP response time, p95', 's', 'By route; streams count until they end.', [
        query(
          'histogram_quantile(0.95, sum by (route, le) (rate(epd_http_request_seconds_bucket[$__rate_interval])))',
          '{{route}}',
        ),
      ]),
      stacked('Jobs ended', 'ops', 'By terminal state.', [
        query('max by (status) (rate(epd_jobs_ended_total[$__rate_interval]))', '{{status}}'),
      ]),
      lines('Accepted and refused', 'ops', 'Refusals by their reason.', [
        query('sum(rate(epd_jobs_accepted_total[$__rate_interval]))', 'accepted'),
        query('sum by (reason) (rate(epd_jobs_refused_total[$__rate_interval]))', '{{reason}}'),
      ]),
      lines('Open event streams', 'short', 'Connected clients.', [
        query('sum(epd_event_streams)', 'streams'),
      ]),
    ],
  },
  {
    title: 'Queues',
    panels: [
      lines('Queued jobs', 'short', 'By stage: jobs that no worker has claimed.', [
        query(`max by (stage) (epd_queue_jobs{${MODEL}})`, '{{stage}}'),
      ]),
      lines(
        'Queued cost',
        'short',
        'Queued tokens: of images (encode: encoders are scaled on it), of prompts and their longest answers (generate).',
        [query(`max by (stage) (epd_queue_cost_tokens{${MODEL}})`, '{{stage}}')],
      ),
      lines('Encode queue time', 's', 'From the request to the batch.', [
        ...quantiles('epd_encode_queue_seconds', MODEL),
      ]),
      lines('Queue time until a KV slot', 's', 'From acceptance to a worker and its first step.', [
        ...quantiles('epd_queue_seconds', MODEL),
      ]),
      lines(
        'Prefill waiting for embeddings',
        's',
        'Time that prefill was blocked waiting for an image embedding.',
        [...quantiles('epd_embedding_wait_seconds', MODEL)],
      ),
    ],
  },
  {
    title: 'Answers',
    panels: [
      lines(
        'Time to first token (TTFT)',
        's',
        'From acceptance.',
        quantiles('epd_ttft_seconds', MODEL),
      ),
      lines(
        'Time per output token (TPOT)',
        's',
        'After the first.',
        quantiles('epd_tpot_seconds', MODEL),
      ),
      lines('Tokens per second', 'ops', 'Of all workers.', [
        query(`sum(rate(epd_generated_tokens_total{${MODEL}}[$__rate_interval]))`, 'tokens'),
      ]),
      stacked('Sequences', 'short', 'By state.', [
        query(`sum by (state) (epd_sequences{${MODEL}})`, '{{state}}'),
      ]),
    ],
  },
];
