import { lookup as lookupAll, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';
import { AddressRefusedError } from './address-refused-error.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * An HTTP client that connects to addresses which the policy allows, and to nothing else. The name is
 * looked up once, all its addresses are judged, and the connection goes to one of those: a name that
 * changes its answer between check and use gains nothing. The address connected to is judged again.
 */
export function createGuardedAgent(policy: AddressPolicy): Agent {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: guardedLookup(policy) });
  return new Agent({
    connections: 16,
    pipelining: 1,
    connect(options, callback) {
      connect(options, (...result) => {
        const [error, socket] = result;
        if (error !== null) return callback(error, null);
        if (policy.allows(socket.remoteAddress ?? '')) return callback(null, socket);
        socket.destroy();
        callback(new AddressRefusedError(options.hostname), null);
      });
    },
  });
}

function guardedLookup(policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    lookupAll(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, []);
      // One bad address condemns the name: which one is used would be up to chance.
      if (addresses.length === 0 || !addresses.every(({ address }) => policy.allows(address))) {
        return callback(new AddressRefusedError(hostname), []);
      }
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? '', first?.family ?? 4);
    });
  };
}
