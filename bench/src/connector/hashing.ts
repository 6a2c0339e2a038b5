import { randomFillSync } from 'node:crypto';
import { mmHash, sha256Hex } from '@epd/connector';
import { median } from '../percentiles.ts';

const IMAGE_BYTES = 2_000_000;
const KEYS = 5000;

/** Digests of image files, and keys made of them. */
export function hashing(rounds: number): { contentMBPerS: number | null; keysPerS: number | null } {
  const image = randomFillSync(new Uint8Array(IMAGE_BYTES));
  const perS = (amount: number, work: () => void): number | null =>
    median(
      Array.from({ length: rounds }, () => {
        const beganMs = performance.now();
        work();
        return (amount * 1000) / (performance.now() - beganMs);
      }),
    );
  return {
    contentMBPerS: perS(IMAGE_BYTES / 1_000_000, () => void sha256Hex(image)),
    keysPerS: perS(KEYS, () => makeKeys(sha256Hex(image))),
  };
}

function makeKeys(contentSha256: string): void {
  for (let index = 0; index < KEYS; index += 1) {
    const processing = { size: { longest_edge: 512 }, index };
    mmHash({
      tenant: 'acme',
      modality: 'image',
      fingerprint: 'f'.repeat(64),
      processing,
      contentSha256,
    });
  }
}
