import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { ModelFolderError } from '../../errors.ts';
import type { ImageSize } from '../../image-size.ts';
import { held } from '../../files/json-file.ts';
import type { PixelFiles } from '../../family/preprocess.ts';

const Edge = Type.Integer({ minimum: 1 });
const Sides = Type.Object({ height: Edge, width: Edge });
const Options = Type.Object({
  image_processor_type: Type.Optional(Type.String()),
  do_resize: Type.Optional(Type.Boolean()),
  size: Type.Union([Edge, Sides, Type.Object({ shortest_edge: Edge })]),
  do_center_crop: Type.Optional(Type.Boolean()),
  crop_size: Type.Optional(Type.Union([Edge, Sides])),
  do_pad: Type.Optional(Type.Boolean()),
});

/** How an image becomes the square that the encoder takes. */
export interface Square {
  readonly edge: number;
  /** It is first made square with a border in the colour of the mean. */
  readonly pads: boolean;
  /** `stretch` to the edge; or the shorter side is scaled to `shortest`, and the middle cut out. */
  readonly shortest: number | null;
}

const FILE = 'preprocessor_config.json';

/** Throws `ModelFolderError` for a configuration by which images would have sizes of their own. */
export function readSquare({ path, preprocessor }: PixelFiles): Square {
  const options = held(path, FILE, Options, preprocessor);
  const pads =
    options.do_pad === true && (options.image_processor_type ?? '').startsWith('LlavaIm');
  const size = sizeOf(options.size);
  if (options.do_resize === false) throw unfit(path, 'do_resize to be true', 'false');
  if (size.shortest === null) return { edge: square(path, 'size', size), pads, shortest: null };
  if (options.do_center_crop === false || options.crop_size === undefined) {
    if (pads) return { edge: size.shortest, pads, shortest: null };
    throw unfit(path, 'crop_size where size is a shortest_edge', 'none');
  }
  const crop = options.crop_size;
  const edge = typeof crop === 'number' ? crop : square(path, 'crop_size', crop);
  if (edge <= size.shortest) return { edge, pads, shortest: size.shortest };
  throw unfit(path, `crop_size of at most ${size.shortest}, the shortest edge`, String(edge));
}

type Size = Static<typeof Options>['size'];

function sizeOf(size: Size): { shortest: number } | (ImageSize & { shortest: null }) {
  if (typeof size === 'number') return { shortest: size };
  if ('shortest_edge' in size) return { shortest: size.shortest_edge };
  return { ...size, shortest: null };
}

function square(path: string, name: string, { width, height }: ImageSize): number {
  if (width === height) return width;
  throw unfit(path, `${name} to be a square`, `${width}x${height}`);
}

const unfit = (path: string, expected: string, found: string): ModelFolderError =>
  new ModelFolderError('unsupported_model', { file: join(path, FILE), expected, found });
