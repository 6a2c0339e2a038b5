import type { DoctorConfig } from './config.ts';

/** What to do about an answer of S3, by its code; the words are those of AWS, which others use too. */
const FIXES: readonly (readonly [codes: RegExp, fix: string])[] = [
  [/InvalidAccessKeyId/, 'Set EPD_S3_ACCESS_KEY_ID to a key that the server has'],
  [/SignatureDoesNotMatch/, 'Set EPD_S3_SECRET_ACCESS_KEY to the secret of EPD_S3_ACCESS_KEY_ID'],
  [/ExpiredToken|InvalidToken/, 'The role’s credentials have run out: see what renews them'],
  [
    /CredentialsProviderError/,
    'Set EPD_S3_ACCESS_KEY_ID and EPD_S3_SECRET_ACCESS_KEY, or give the process a role',
  ],
  [
    /AccessDenied|Forbidden/,
    'Allow s3:GetObject, s3:PutObject and s3:DeleteObject on the objects, s3:ListBucket on the bucket',
  ],
  [/RequestTimeTooSkewed/, 'Keep clocks with NTP here and on the server'],
  [
    /PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint/,
    'Set EPD_S3_REGION to the bucket’s',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'No such host: look at EPD_S3_ENDPOINT, and at EPD_S3_FORCE_PATH_STYLE'],
  [/ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH/, 'Nobody answers at EPD_S3_ENDPOINT: start the server'],
];

/** What to do about an error of the S3 store. */
export function s3Fix(error: unknown, { s3Bucket }: Pick<DoctorConfig, 's3Bucket'>): string {
  const said = [error, error instanceof Error ? error.cause : null].map(wordsOf).join(' ');
  if (/NoSuchBucket/.test(said)) return `Create the bucket ${s3Bucket}, or set EPD_S3_BUCKET`;
  const known = FIXES.find(([codes]) => codes.test(said));
  const all =
    'Look at EPD_S3_ENDPOINT, EPD_S3_BUCKET, the keys or the role, and the bucket’s policy';
  return known?.[1] ?? all;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return `${error.name} ${'code' in error ? String(error.code) : ''} ${error.message}`;
}
