import { sha256Hex } from '@epd/connector';
import { keysWithTtl, testRedis } from '@epd/service/testing';
import test from 'ava';
import { AliasConflictError, UuidAliases } from '../../../src/core/inputs/uuid-aliases.ts';

const CAT = sha256Hex(Buffer.from('cat'));
const DOG = sha256Hex(Buffer.from('dog'));

test('a uuid stands for the content that it came with first', async (t) => {
  const aliases = new UuidAliases(testRedis(t));
  t.is(await aliases.resolve('tenant', 'pet'), null);
  await aliases.bind('tenant', 'pet', CAT);
  await aliases.bind('tenant', 'pet', CAT);
  t.is(await aliases.resolve('tenant', 'pet'), CAT);
  const error = await t.throwsAsync(aliases.bind('tenant', 'pet', DOG), {
    instanceOf: AliasConflictError,
  });
  t.is(error?.code, 'alias_conflict');
  t.is(await aliases.resolve('tenant', 'pet'), CAT);
});

test('a uuid means nothing to another tenant', async (t) => {
  const aliases = new UuidAliases(testRedis(t));
  await aliases.bind('a', 'pet', CAT);
  t.is(await aliases.resolve('b', 'pet'), null);
  await aliases.bind('b', 'pet', DOG);
  t.is(await aliases.resolve('a', 'pet'), CAT);
  t.is(await aliases.resolve('b', 'pet'), DOG);
  t.is(await aliases.resolve('ap', 'et'), null);
});

test('of racing bindings one wins', async (t) => {
  const aliases = new UuidAliases(testRedis(t));
  const results = await Promise.allSettled([
    aliases.bind('a', 'pet', CAT),
    aliases.bind('a', 'pet', DOG),
  ]);
  t.is(results.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('every alias expires', async (t) => {
  const connection = testRedis(t);
  await new UuidAliases({ ...connection, ttlMs: 60_000 }).bind('a', 'pet', CAT);
  const ttls = await keysWithTtl(connection.redis, connection.prefix);
  t.is(ttls.size, 1);
  t.true([...ttls.values()].every((ttl) => ttl > 0));
});
