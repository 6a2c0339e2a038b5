/**
 * Images that crash or hang an encoder, by the digest of their bytes: for fault tests of the fleet.
 */
export interface ImageFaults {
  /** The process dies, as in a crash of a native library. */
  readonly faultKillOnSha256: string;
  /** Its preprocessing never ends. */
  readonly faultHangOnSha256: string;
}

/** Does nothing for an image that is not named. */
export function commitFault(faults: ImageFaults, sha256: string): Promise<void> {
  const { faultKillOnSha256, faultHangOnSha256 } = faults;
  if (sha256 === faultKillOnSha256) process.kill(process.pid, 'SIGKILL');
  return sha256 === faultHangOnSha256 ? new Promise<void>(() => {}) : Promise.resolve();
}
