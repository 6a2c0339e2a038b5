import { lines, query, stacked, stat, type Row } from './panel.ts';

const quantiles = (metric: string, by: string): ReturnType<typeof query>[] =>
  [0.5, 0.95, 0.99].map((share) =>
    query(
      `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{${by}}[$__rate_interval])))`,
      `p${share * 100}`,
    ),
  );
const MODEL = 'model=~"$model"';

/** For whoever is on call: is it well, what waits, what is slow, what is lost. */
export const fleetRows: readonly Row[] = [
  {
    title: 'Is it well?',
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
        'Share of answers with 5xx.',
        'sum(rate(epd_http_request_seconds_count{status=~"5.."}[5m])) / sum(rate(epd_http_request_seconds_count[5m])) or vector(0)',
      ),
      stat('Encoders', 'short', 'Processes that answer.', 'sum(up{job="epd-encoder"})'),
      stat(
        'Prefill/decode',
        'short',
        'Processes that answer.',
        'sum(up{job="epd-prefill-decode"})',
      ),
    ],
  },
  {
    title: 'Requests',
    panels: [
      lines('Requests a second', 'reqps', 'By route.', [
        query(
          'sum by (route) (rate(epd_http_request_seconds_count[$__rate_interval]))',
          '{{route}}',
        ),
      ]),
      lines('Time to answer HTTP, p95', 's', 'By route; streams count until their end.', [
        query(
          'histogram_quantile(0.95, sum by (route, le) (rate(epd_http_request_seconds_bucket[$__rate_interval])))',
          '{{route}}',
        ),
      ]),
      stacked('Jobs that end', 'ops', 'By terminal state.', [
        query('max by (status) (rate(epd_jobs_ended_total[$__rate_interval]))', '{{status}}'),
      ]),
      lines('Accepted and refused', 'ops', 'Refusals by their reason.', [
        query('sum(rate(epd_jobs_accepted_total[$__rate_interval]))', 'accepted'),
        query('sum by (reason) (rate(epd_jobs_refused_total[$__rate_interval]))', '{{reason}}'),
      ]),
      lines('Open event streams', 'short', 'Clients that listen.', [
        query('sum(epd_event_streams)', 'streams'),
      ]),
    ],
  },
  {
    title: 'What waits',
    panels: [
      lines('Jobs in queues', 'short', 'By stage: what the fleet has not taken up.', [
        query(`max by (stage) (epd_queue_jobs{${MODEL}})`, '{{stage}}'),
      ]),
      lines(
        'Cost in queues',
        'short',
        'Tokens that wait: of images (encode: encoders are scaled on it), of prompts and their longest answers (generate).',
        [query(`max by (stage) (epd_queue_cost_tokens{${MODEL}})`, '{{stage}}')],
      ),
      lines('Wait for an encoder', 's', 'From the request to the batch.', [
        ...quantiles('epd_encode_queue_seconds', MODEL),
      ]),
      lines('Wait for a slot', 's', 'From acceptance to a worker and its first step.', [
        ...quantiles('epd_queue_seconds', MODEL),
      ]),
      lines('Wait for embeddings', 's', 'Prefill that stood still for want of an image.', [
        ...quantiles('epd_embedding_wait_seconds', MODEL),
      ]),
    ],
  },
  {
    title: 'Answers',
    panels: [
      lines(
        'Time to the first token',
        's',
        'From acceptance.',
        quantiles('epd_ttft_seconds', MODEL),
      ),
      lines('Time per token', 's', 'After the first.', quantiles('epd_tpot_seconds', MODEL)),
      lines('Tokens a second', 'ops', 'Of all workers.', [
        query(`sum(rate(epd_generated_tokens_total{${MODEL}}[$__rate_interval]))`, 'tokens'),
      ]),
      stacked('Sequences', 'short', 'By what they do.', [
        query(`sum by (state) (epd_sequences{${MODEL}})`, '{{state}}'),
      ]),
    ],
  },
];
