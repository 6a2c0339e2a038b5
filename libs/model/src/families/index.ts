import type { ModelFamily } from './family.ts';
import { idefics3 } from './idefics3/index.ts';

const FAMILIES: readonly ModelFamily[] = [idefics3];

/** Values of `model_type` that are understood. */
export const SUPPORTED_MODEL_TYPES: readonly string[] = FAMILIES.flatMap(
  ({ modelTypes }) => modelTypes,
);

export function familyOf(modelType: string): ModelFamily | null {
  return FAMILIES.find(({ modelTypes }) => modelTypes.includes(modelType)) ?? null;
}
