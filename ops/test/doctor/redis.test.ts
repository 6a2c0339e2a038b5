import test from 'ava';
import { eviction, memory, parseInfo, persistence, skew, version } from '../../doctor/redis.ts';

const facts = (entries: Record<string, string>): Map<string, string> =>
  new Map(Object.entries(entries));

test('INFO is read line by line, values with colons whole', (t) => {
  const info = parseInfo('# Server\r\nredis_version:7.0.15\r\n\r\nexecutable:/a:b\r\n');
  t.deepEqual(
    [...info],
    [
      ['redis_version', '7.0.15'],
      ['executable', '/a:b'],
    ],
  );
});

const versions: readonly (readonly [Record<string, string>, 'ok' | 'fail'])[] = [
  [{ redis_version: '6.2.0' }, 'ok'],
  [{ redis_version: '7.0.15' }, 'ok'],
  [{ redis_version: '6.0.16' }, 'fail'],
  [{ redis_version: '5.0.14' }, 'fail'],
  [{ redis_version: '7.2.4', valkey_version: '8.0.1' }, 'ok'],
];
for (const [entries, level] of versions) {
  test(`a server of ${JSON.stringify(entries)} is ${level}`, (t) => {
    t.is(version(facts(entries)).level, level);
  });
}

test('a server that may evict keys is refused, unless it has no limit yet', (t) => {
  t.is(eviction(facts({ maxmemory_policy: 'noeviction', maxmemory: '1000' })).level, 'ok');
  t.is(eviction(facts({ maxmemory_policy: 'allkeys-lru', maxmemory: '1000' })).level, 'fail');
  t.is(eviction(facts({ maxmemory_policy: 'volatile-lru', maxmemory: '0' })).level, 'warn');
});

test('an append-only file must be there and be written', (t) => {
  const written = { aof_last_write_status: 'ok', aof_last_bgrewrite_status: 'ok' };
  t.is(persistence(facts({ aof_enabled: '0', ...written })).level, 'warn');
  t.is(persistence(facts({ aof_enabled: '1', ...written })).level, 'ok');
  const failing = { aof_enabled: '1', ...written, aof_last_write_status: 'err' };
  t.is(persistence(facts(failing)).level, 'fail');
});

test('memory near its limit is reported before writes fail', (t) => {
  t.is(memory(facts({ used_memory: '90', maxmemory: '100' })).level, 'warn');
  t.is(memory(facts({ used_memory: '50', maxmemory: '100' })).level, 'ok');
  t.is(memory(facts({ used_memory: '50', maxmemory: '0' })).level, 'ok');
});

test('a clock that is off is reported, whichever way', (t) => {
  t.deepEqual(
    [10, -800, 4_000].map((ms) => skew(ms).level),
    ['ok', 'warn', 'fail'],
  );
  t.regex(skew(-800).found, /behind/);
});
