import { guarded, ok, warn, fail, type Finding } from './finding.ts';

const ANSWER_MS_MAX = 5_000;

/** Whether the API responds, is ready, and requires a key if others can reach it. */
export function checkApi(url: string, entry: string | undefined): Promise<Finding[]> {
  return guarded('api', `Start the API, or set EPD_API_URL (now ${url})`, async () => {
    const get = (path: string, headers = {}): Promise<Response> =>
      fetch(new URL(path, url), { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const ready = await get('/readyz');
    const report = await ready.text();
    const models = await get('/v1/models');
    return [
      ready.ok
        ? ok('api', `ready at ${url}`)
        : fail(
            'api',
            `not ready: ${report.slice(0, 200)}`,
            'See the findings for Redis and the store',
          ),
      keys(new URL(url).hostname, models.status),
      ...(entry === undefined ? [] : [await known(entry, (headers) => get('/v1/models', headers))]),
    ];
  });
}

/** An entry of `EPD_API_KEYS` is `tenant:key`. */
async function known(entry: string, ask: (headers: object) => Promise<Response>): Promise<Finding> {
  const key = entry.slice(entry.indexOf(':') + 1);
  const { status } = await ask({ authorization: `Bearer ${key}` });
  const fix = 'Restart the API with these EPD_API_KEYS';
  return status === 200
    ? ok('api key', 'the first of EPD_API_KEYS opens it')
    : fail('api key', `the first of EPD_API_KEYS is answered ${status}`, fix);
}

function keys(host: string, status: number): Finding {
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(host);
  if (status === 401 || status === 403) return ok('api keys', 'asked for');
  if (local) return ok('api keys', 'not required; it listens to this machine only');
  return warn(
    'api keys',
    'anyone who can reach the API may use it',
    'Set EPD_API_KEYS or EPD_ADMIN_KEY',
  );
}
