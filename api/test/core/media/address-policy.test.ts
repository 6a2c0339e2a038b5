import test from 'ava';
import { createAddressPolicy } from '../../../src/core/media/address-policy.ts';

const policy = createAddressPolicy([]);

const refused = test.macro((t, address: string) => t.false(policy.allows(address)));
const allowed = test.macro((t, address: string) => t.true(policy.allows(address)));

for (const [what, address] of Object.entries({
  loopback: '127.0.0.1',
  'loopback elsewhere in its block': '127.9.9.9',
  'this host': '0.0.0.0',
  'private 10': '10.1.2.3',
  'private 172.16': '172.16.0.1',
  'private 192.168': '192.168.1.1',
  'link-local, where cloud metadata is': '169.254.169.254',
  'carrier-grade NAT': '100.64.0.1',
  documentation: '192.0.2.1',
  benchmarking: '198.18.0.1',
  multicast: '224.0.0.1',
  broadcast: '255.255.255.255',
  reserved: '240.0.0.1',
  'IPv6 loopback': '::1',
  'IPv6 unspecified': '::',
  'IPv6 link-local': 'fe80::1',
  'IPv6 unique local, where cloud metadata is': 'fd00:ec2::254',
  'IPv6 multicast': 'ff02::1',
  'IPv4 mapped into IPv6': '::ffff:10.0.0.1',
  'IPv4 mapped, in hex': '::ffff:7f00:1',
  'IPv4-compatible IPv6': '::127.0.0.1',
  'NAT64 of a private address': '64:ff9b::10.0.0.1',
  '6to4 of a private address': '2002:a00:1::',
  'the IPv4 metadata address as IPv4-compatible IPv6': '::a9fe:a9fe',
  'IPv6 outside of what is given out': '4000::1',
  "Azure's server for its guests": '168.63.129.16',
  'the same, mapped into IPv6': '::ffff:168.63.129.16',
  Teredo: '2001:0:4136:e378::1',
  'no address': 'localhost',
  nothing: '',
})) {
  test(`refused: ${what}`, refused, address);
}

test('allowed: a public IPv4 address', allowed, '93.184.216.34');
test('allowed: a public IPv6 address', allowed, '2606:2800:220:1::1');

test('an exception lets its own block through and nothing else', (t) => {
  const exceptional = createAddressPolicy(['10.1.0.0/16', 'fd12::/16']);
  t.deepEqual(
    ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '10.2.0.1', '127.0.0.1', 'fd13::1'].map((address) =>
      exceptional.allows(address),
    ),
    [true, true, true, false, false, false],
  );
});
