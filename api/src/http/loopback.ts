import ipaddr from 'ipaddr.js';

/** Asked for every request, and the same few addresses again and again. */
let last = { address: '', loopback: false };

/** Whether an IP address can be reached from this machine alone. */
export function isLoopback(address: string): boolean {
  if (last.address !== address) {
    const loopback = ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
    last = { address, loopback };
  }
  return last.loopback;
}
