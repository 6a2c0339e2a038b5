import ipaddr from 'ipaddr.js';

/** Whether an IP address can be reached from this machine alone. */
export const isLoopback = (address: string): boolean =>
  ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
