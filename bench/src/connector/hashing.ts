import { randomFillSync } from 'node:crypto';
import { mmHash, payloadTag, sha256Hex } from '@epd/connector';
import { median } from '../percentiles.ts';

const IMAGE_BYTES = 2_000_000;
const KEYS = 5000;

export interface HashRates {
  readonly contentMBPerS: number | null;
  readonly keysPerS: number | null;
  readonly payloadMBPerS: number | null;
}

/** Digests of image files, keys made of them, and the tags of stored payloads. */
export function hashing(rounds: number): HashRates {
  const image = randomFillSync(new Uint8Array(IMAGE_BYTES));
  const perS = (amount: number, work: () => void): number | null =>
    median(
      Array.from({ length: rounds }, () => {
        const beganMs = performance.now();
        work();
        return (amount * 1000) / (performance.now() - beganMs);
      }),
    );
  const imageMB = IMAGE_BYTES / 1_000_000;
  return {
    contentMBPerS: perS(imageMB, () => void sha256Hex(image)),
    keysPerS: perS(KEYS, () => makeKeys(sha256Hex(image))),
    payloadMBPerS: perS(imageMB, () => void payloadTag(image)),
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
