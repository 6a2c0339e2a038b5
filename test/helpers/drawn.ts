/** A picture by the formula of models/making/families/pictures.py: [height, width, 3] bytes. */
export function drawn(width: number, height: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: width * height * 3 }, (_, index) => {
    const c = index % 3;
    const x = Math.floor(index / 3) % width;
    const y = Math.floor(index / (3 * width));
    const sum = x * (3 + (seed % 5)) + y * (7 + (seed % 3)) + c * 53 + seed * 29;
    return (sum + Math.floor((x * y) / (5 + (seed % 7)))) % 256;
  });
}
