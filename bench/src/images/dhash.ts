import sharp from 'sharp';

const SIDE = 8;

/** The difference hash of a picture: 64 bits, each whether a pixel of a 9 × 8 copy is darker than its right neighbour. */
export async function dHash(image: Buffer): Promise<Uint8Array> {
  const grey = await sharp(image)
    .flatten({ background: '#fff' })
    .greyscale()
    .resize(SIDE + 1, SIDE, { fit: 'fill' })
    .raw()
    .toBuffer();
  return Uint8Array.from({ length: SIDE ** 2 }, (_, bit) => {
    const at = Math.floor(bit / SIDE) * (SIDE + 1) + (bit % SIDE);
    return grey[at]! < grey[at + 1]! ? 1 : 0;
  });
}

/** Share of bits that agree: 1 for equal hashes. */
export const agreement = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((same, bit, i) => same + (bit === b[i] ? 1 : 0), 0) / a.length;
