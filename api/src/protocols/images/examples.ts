import { vectorToText } from '@epd/connector';
import { IMAGE_ID_PATTERN, type Example as IndexExample, type ImageFilter } from '@epd/image-index';
import type { ImageVectors, VectorContext } from '../../core/images/image-vectors.ts';
import { ApiError } from '../../http/errors.ts';
import type { Example, Filter } from './schema.ts';

const IMAGE_ID = new RegExp(IMAGE_ID_PATTERN);

/** What the index compares with; a picture is encoded first. Throws `invalid_value`, and the `image…` codes. */
export async function toIndexExample(
  example: Example | string,
  param: string,
  vectors: ImageVectors,
  context: VectorContext,
): Promise<IndexExample> {
  if (typeof example === 'string') {
    if (IMAGE_ID.test(example)) return { id: example };
    return { vector: await pictureVector(example, param, vectors, context) };
  }
  const { image, image_id: id, vector } = example;
  const given = [image, id, vector].filter((each) => each !== undefined);
  if (given.length !== 1) throw oneOfThree(param, given.length);
  if (id !== undefined) return { id };
  if (vector !== undefined)
    return { vector: normalised(vector, `${param === '' ? '' : `${param}.`}vector`) };
  const path = param === '' ? 'image' : `${param}.image`;
  return { vector: await pictureVector(image!, path, vectors, context) };
}

export function toIndexFilter(filter: Filter = {}): ImageFilter {
  const { metadata, created_after: after, created_before: before } = filter;
  return {
    ...(metadata === undefined ? {} : { metadata: listed(metadata) }),
    ...(after === undefined ? {} : { createdFromMs: after * 1000 }),
    ...(before === undefined ? {} : { createdBeforeMs: before * 1000 }),
  };
}

async function pictureVector(
  picture: NonNullable<Example['image']>,
  param: string,
  vectors: ImageVectors,
  context: VectorContext,
): Promise<string> {
  const { url, file_id: fileId } =
    typeof picture === 'string' ? { url: picture, file_id: undefined } : picture;
  if ((url === undefined) === (fileId === undefined))
    throw new ApiError('invalid_value', `${param}: expected either url or file_id`, { param });
  const { vector } = await vectors.of({ url, fileId, param }, context);
  return vectorToText(vector);
}

/** Callers' vectors are as long as they like; the index compares directions. */
function normalised(values: readonly number[], param: string): string {
  const length = Math.hypot(...values);
  if (length > 0 && Number.isFinite(length))
    return vectorToText(Float32Array.from(values, (value) => value / length));
  throw new ApiError('invalid_value', `${param}: expected a vector that is not all zeros`, {
    param,
  });
}

const listed = (
  metadata: Readonly<Record<string, string | readonly string[]>>,
): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, values]) => [
      key,
      typeof values === 'string' ? [values] : [...values],
    ]),
  );

function oneOfThree(param: string, count: number): ApiError {
  const where = param === '' ? 'body' : param;
  return new ApiError(
    'invalid_value',
    `${where}: expected exactly one of image, image_id and vector, got ${count}`,
    { param: where },
  );
}
