import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface AddressPolicy {
  /** Whether a connection to this IP address may be made. */
  allows(address: string): boolean;
}

/**
 * Only public unicast addresses may be connected to: no private, loopback, link-local, metadata,
 * carrier, documentation, multicast or reserved ones, and no IPv6 address that merely wraps an IPv4
 * one of those. `exceptions` are CIDR blocks that the operator lets through.
 */
export function createAddressPolicy(exceptions: readonly string[]): AddressPolicy {
  const blocks = exceptions.map((block) => ipaddr.parseCIDR(block));
  return {
    allows(address) {
      if (isIP(address) === 0) return false;
      // `process` turns an IPv4-mapped IPv6 address into the IPv4 one.
      const parsed = ipaddr.process(address);
      return isPublic(parsed) || blocks.some((block) => contains(block, parsed));
    },
  };
}

/** What is unicast and not public: servers that clouds put at public addresses for their guests alone. */
const GUESTS_ONLY = [
  '168.63.129.16/32', // Azure: its agent's settings, secrets among them
  '192.0.0.192/32', // Oracle: metadata
].map((block) => ipaddr.parseCIDR(block));

/** All that is given out of IPv6; `::a.b.c.d` and others beside it only wrap something. */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Every other range of ipaddr.js is special: `private`, `loopback`, `linkLocal`, `rfc6052`, `6to4` … */
const isPublic = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.range() === 'unicast' &&
  (address.kind() === 'ipv4' || contains(GLOBAL_IPV6, address)) &&
  !GUESTS_ONLY.some((block) => contains(block, address));

const contains = (
  [network, bits]: [ipaddr.IPv4 | ipaddr.IPv6, number],
  address: ipaddr.IPv4 | ipaddr.IPv6,
): boolean => network.kind() === address.kind() && address.match(network, bits);
