import sharp from 'sharp';

/** What copies of a picture go through on their way around the world. */
export const VARIANTS: Readonly<Record<string, (png: Buffer) => Promise<Buffer>>> = {
  'crop to 90 %': async (png) => {
    const { width, height } = await sharp(png).metadata();
    const [w, h] = [Math.round(0.9 * width), Math.round(0.9 * height)];
    const left = Math.round((width - w) / 2);
    const top = Math.round((height - h) / 2);
    return sharp(png).extract({ left, top, width: w, height: h }).png().toBuffer();
  },
  'rotated by 5°': async (png) =>
    sharp(png)
      .rotate(5, { background: await corner(png) })
      .png()
      .toBuffer(),
  'JPEG at quality 30': (png) => sharp(png).jpeg({ quality: 30 }).toBuffer(),
  'blurred, sigma 1.5': (png) => sharp(png).blur(1.5).png().toBuffer(),
  'paler and darker': (png) =>
    sharp(png).modulate({ saturation: 0.7, brightness: 0.9 }).png().toBuffer(),
  'hue turned by 25°': (png) => sharp(png).modulate({ hue: 25 }).png().toBuffer(),
};

/** What a turned picture shows in its corners: more of its own background. */
async function corner(png: Buffer): Promise<{ r: number; g: number; b: number }> {
  const [r = 0, g = 0, b = 0] = await sharp(png)
    .extract({ left: 0, top: 0, width: 1, height: 1 })
    .raw()
    .toBuffer();
  return { r, g, b };
}
