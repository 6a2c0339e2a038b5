import { basename, dirname } from 'node:path';
import { AutoProcessor, env, RawImage, type Processor } from '@huggingface/transformers';

/** The reference implementation, reading local folders only. */
export async function yardstick(folder: string): Promise<Processor> {
  env.allowRemoteModels = false;
  env.localModelPath = `${dirname(folder)}/`;
  return AutoProcessor.from_pretrained(basename(folder));
}

interface Processed {
  readonly input_ids: { readonly data: BigInt64Array };
  readonly pixel_values: { readonly dims: readonly number[] };
  readonly rows: readonly number[][];
  readonly cols: readonly number[][];
}

/** Runs the reference over gray images of the given sizes. */
export async function processed(
  processor: Processor,
  text: string,
  sizes: readonly (readonly [width: number, height: number])[],
): Promise<Processed> {
  const images = sizes.map(
    ([width, height]) => new RawImage(new Uint8ClampedArray(width * height * 3), width, height, 3),
  );
  return (await processor(text, images)) as Processed;
}

export const idsOf = (result: Processed): number[] => Array.from(result.input_ids.data, Number);
