const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const JPEG = Buffer.from('ffd8ff', 'hex');

/** Whether a file begins as pictures do, whatever a header or its name calls it. */
export function hasPictureSignature(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16));
  if (head.subarray(0, 8).equals(PNG) || head.subarray(0, 3).equals(JPEG)) return true;
  const text = head.toString('latin1');
  const isWebp = text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP';
  return isWebp || text.startsWith('GIF87a') || text.startsWith('GIF89a');
}
