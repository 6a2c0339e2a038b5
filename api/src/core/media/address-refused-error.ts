/** Thrown before a byte is sent to an address that the policy refuses. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  constructor(host: string) {
    super(`${host} is, or leads to, an address that must not be fetched from`);
  }
}
