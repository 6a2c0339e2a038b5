import { startS3 } from '@epd/connector/testing';
import { readConfig } from '@epd/service';
import test from 'ava';
import { doctorConfig } from '../../doctor/config.ts';
import type { Finding } from '../../doctor/finding.ts';
import { checkStore } from '../../doctor/store.ts';
import { refusingS3 } from '../helpers/refusing-s3.ts';

const look = (endpoint: string, bucket = 'pictures'): Promise<Finding[]> =>
  checkStore(
    readConfig(doctorConfig, {
      EPD_STORE: 's3',
      EPD_S3_ENDPOINT: endpoint,
      EPD_S3_BUCKET: bucket,
      EPD_S3_ACCESS_KEY_ID: 'a-key',
      EPD_S3_SECRET_ACCESS_KEY: 'hush',
    }),
  );

const refusals: readonly (readonly [number, string, RegExp])[] = [
  [403, 'InvalidAccessKeyId', /EPD_S3_ACCESS_KEY_ID/],
  [403, 'SignatureDoesNotMatch', /EPD_S3_SECRET_ACCESS_KEY/],
  [403, 'AccessDenied', /s3:PutObject/],
  [403, 'RequestTimeTooSkewed', /clocks/],
  [404, 'NoSuchBucket', /Create the bucket pictures/],
  [301, 'PermanentRedirect', /EPD_S3_REGION/],
];
for (const [status, code, fix] of refusals) {
  test(`a bucket that answers ${code} fails with what to do about that`, async (t) => {
    const [finding] = await look(await refusingS3(t, status, code));
    t.like(finding, { check: 'store', level: 'fail' });
    t.true(finding!.found.includes(code), finding!.found);
    t.regex(finding!.fix, fix);
    t.false(JSON.stringify(finding).includes('hush'));
  });
}

test('a server that ignores conditions on puts is distinguished from one that honours them', async (t) => {
  const { endpoint, bucket } = await startS3(t);
  const findings = await look(endpoint, bucket);
  const level = (check: string) => findings.find((finding) => finding.check === check)?.level;
  t.is(level('store conditional put'), 'warn');
  t.is(level('store probe'), 'ok');
  t.is(level('store delete'), 'ok');
});
