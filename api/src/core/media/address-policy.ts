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

/** Every other range of ipaddr.js is special: `private`, `loopback`, `linkLocal`, `rfc6052`, `6to4` … */
const isPublic = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean => address.range() === 'unicast';

const contains = (
  [network, bits]: [ipaddr.IPv4 | ipaddr.IPv6, number],
  address: ipaddr.IPv4 | ipaddr.IPv6,
): boolean => network.kind() === address.kind() && address.match(network, bits);
