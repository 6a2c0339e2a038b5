import test from 'ava';
import { createLogger, withoutPassword, type LogLevel } from '@epd/service';

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
  });
  t.notRegex(JSON.stringify(lines), /p1|p2|p3/);
});

test('the password of a URL is masked and its place kept', (t) => {
  t.is(withoutPassword('redis://me:secret@host:6379/1'), 'redis://me:***@host:6379/1');
  t.is(withoutPassword('redis://host:6379'), 'redis://host:6379');
  t.is(withoutPassword('me:secret@host'), '(not a URL)');
});
