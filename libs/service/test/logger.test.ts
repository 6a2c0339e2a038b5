import { connectRedis, createLogger, withoutPassword, type LogLevel } from '@epd/service';
import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';

function logged(level?: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object') lines.push({ ...parsed });
  };
  const log = createLogger({
    service: 'encoder',
    ...(level ? { level } : {}),
    destination: { write },
  });
  return { log, lines };
}

test('a line names the service, the level in words and the time in ISO form', (t) => {
  const { log, lines } = logged();
  log.info({ batch: 3 }, 'encoded');
  t.like(lines[0], {
    service: 'encoder',
    level: 'info',
    batch: 3,
    msg: 'encoded',
    pid: process.pid,
  });
  t.regex(String(lines[0]?.['time']), /^\d{4}-\d\d-\d\dT.*Z$/);
});

test('levels below the one set are not written', (t) => {
  const { log, lines } = logged('warn');
  log.info('no');
  log.warn('yes');
  t.deepEqual(
    lines.map((line) => line['msg']),
    ['yes'],
  );
});

test('fields named like secrets are hidden, at three depths', (t) => {
  const { log, lines } = logged();
  log.info({
    password: 'p1',
    s3: { secretAccessKey: 'p2' },
    request: { headers: { authorization: 'p3' } },
    users: [{ apiKey: 'p4', name: 'shown' }],
  });
  log.child({ secret: 'p5' }).info('of a child');
  t.notRegex(JSON.stringify(lines), /p\d/);
  t.like(lines[0], { users: [{ name: 'shown' }], s3: { secretAccessKey: '(hidden)' } });
});

test('hiding a secret leaves what was logged as it was', (t) => {
  const { log } = logged();
  const fields = { s3: { secretAccessKey: 'p', region: 'r' } };
  log.info(fields);
  t.deepEqual(fields, { s3: { secretAccessKey: 'p', region: 'r' } });
});

test('an error of Redis is logged without the command that it came from', async (t) => {
  const redis = connectRedis(testRedisUrl(), { name: 'test' });
  t.teardown(async () => redis.disconnect());
  const key = testPrefix();
  const error = await t.throwsAsync(redis.eval("return redis.call('NONE')", 1, key, 'A PROMPT'));
  t.true(JSON.stringify(error).includes('A PROMPT')); // else there is nothing to show here
  const { log, lines } = logged();
  log.error({ err: error }, 'a job failed');
  log.error({ err: new Error('not saved', { cause: error }) }, 'a job failed');
  t.false(JSON.stringify(lines).includes('A PROMPT'));
  t.like(lines[0], { err: { message: error.message } });
  t.like(lines[1], { err: { message: 'not saved', cause: { message: error.message } } });
});

test('an error is logged with its code, its stack and those it gathers, and nothing else', (t) => {
  const { log, lines } = logged();
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', body: 'A PROMPT' });
  log.error({ err: new AggregateError([refused], 'all addresses') });
  const { err } = lines[0] as { err: { stack: string; errors: object[] } };
  t.regex(err.stack, /logger\.test/);
  t.like(err.errors[0], { type: 'Error', message: 'refused', code: 'ECONNREFUSED' });
  t.false(JSON.stringify(lines).includes('A PROMPT'));
});

test('the password of a URL is masked and its place kept', (t) => {
  t.is(withoutPassword('redis://me:secret@host:6379/1'), 'redis://me:***@host:6379/1');
  t.is(withoutPassword('redis://host:6379'), 'redis://host:6379');
  t.is(withoutPassword('me:secret@host'), '(not a URL)');
});
