import test from 'ava';
import { commandName } from '../../src/overhead/redis-traffic.ts';

test('commands are named by what they are for, without the part that is one job’s or one picture’s', (t) => {
  const hash = '0f'.repeat(32);
  t.is(commandName(['GET', `p:poison:${hash}`]), 'get p:poison:<id>');
  t.is(commandName(['hgetall', 'p:job:job_abc']), 'hgetall p:job:<id>');
  t.is(commandName(['xrange', 'p:job:job_abc:events', '0', '+']), 'xrange p:job:<id>:events');
  t.is(
    commandName(['evalsha', 'aa11', '2', `p:flight:{${hash}}`, 'p:x']),
    'script of 2 keys, p:flight:{<id>}',
  );
  t.is(commandName(['PING']), 'ping');
});
