import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeModel, graphOf, readModel, useDomain, MICROSOFT, type Model } from '@epd/graph';
import { halve, quantizeToEight, quantizeToFour } from '@epd/graph/variants';
import { exists } from './exists.ts';

/** The forms in which decoders are published, by the suffix of their file. */
const VARIANTS = { fp32: '', fp16: '_fp16', q8: '_quantized', q4: '_q4' } as const;
export type Variant = keyof typeof VARIANTS;

const CHANGES: Readonly<Record<Variant, (model: Model) => void>> = {
  fp32: () => {},
  fp16: (model) => halve(graphOf(model)),
  q8: (model) => quantizeToEight(graphOf(model)),
  q4: (model) => {
    quantizeToFour(graphOf(model));
    useDomain(model, MICROSOFT);
  },
};

/** The name of a built model's decoder in a form, made from the full one on the first call. */
export async function writeVariant(modelDir: string, variant: Variant): Promise<string> {
  const name = `decoder_model_merged${VARIANTS[variant]}.onnx`;
  const path = join(modelDir, 'onnx', name);
  if (await exists(path)) return name;
  const model = await readModel(join(modelDir, 'onnx/decoder_model_merged.onnx'));
  CHANGES[variant](model);
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, encodeModel(model));
  await rename(unfinished, path);
  return name;
}
