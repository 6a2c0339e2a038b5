import { HubError } from './errors.ts';

interface Asked {
  readonly repository: string;
  readonly revision: string;
  readonly hasToken: boolean;
}

/** When a refusal by rate may be tried again, in milliseconds; read by the retry loop. */
export class RateLimitError extends HubError {
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null) {
    super('rate_limited', message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a refusal of the Hub means to a user, by its status and its `x-error-code`. */
export function answerError(response: Response, asked: Asked): HubError {
  const { repository, revision } = asked;
  const code = response.headers.get('x-error-code');
  if (code === 'GatedRepo') return gated(asked);
  if (code === 'RevisionNotFound') {
    const message = `${repository} has no branch, tag or commit ${JSON.stringify(revision)}`;
    return new HubError('revision_not_found', message);
  }
  if (code === 'EntryNotFound') {
    return new HubError('missing_file', `${repository} has no file ${fileIn(response)}`);
  }
  switch (response.status) {
    case 401:
    case 403:
      return unauthorized(asked);
    case 404:
      return new HubError('not_found', `There is no model ${repository} on the Hub`);
    case 429:
      return new RateLimitError(
        `The Hub refuses more requests for now (429)${asked.hasToken ? '' : '; a token (HF_TOKEN) raises the limit'}`,
        waitMs(response.headers.get('retry-after')),
      );
    default:
      return new HubError('unreachable', `The Hub answered ${response.status} for ${repository}`);
  }
}

export function unreachable(endpoint: string, cause: unknown): HubError {
  const why = typeof cause === 'string' ? cause : reasonOf(cause);
  return new HubError('unreachable', `${endpoint} cannot be reached (${why})`, { cause });
}

function gated({ repository, hasToken }: Asked): HubError {
  const token = hasToken ? 'the account of HF_TOKEN' : 'an account, and set its token as HF_TOKEN';
  const message = `${repository} is gated: accept its terms on its page on the Hub with ${token}`;
  return new HubError('gated', message);
}

/** The Hub says 401 of models that do not exist too, so that private ones stay unknown. */
function unauthorized({ repository, hasToken }: Asked): HubError {
  const help = hasToken
    ? 'the token (HF_TOKEN) gives no access to it'
    : 'a private one needs a token (HF_TOKEN)';
  return new HubError('unauthorized', `There is no model ${repository} for this user: ${help}`);
}

function fileIn(response: Response): string {
  return decodeURIComponent(new URL(response.url).pathname.replace(/^.*\/resolve\/[^/]+\//, ''));
}

/** Seconds, or a date, as HTTP has it. */
function waitMs(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

/** undici hides the reason in a cause: `ENOTFOUND`, `ECONNREFUSED`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
  return code ?? (error instanceof Error ? error.message : String(error));
}
