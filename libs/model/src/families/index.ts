import type { ModelFamily } from '../family/family.ts';
import type { ImageGeometry } from './geometry.ts';
import { fixedGrid } from './fixed-grid/index.ts';
import { idefics3 } from './idefics3/index.ts';
import { qwenVl } from './qwen-vl/index.ts';

const FAMILIES: readonly ModelFamily<ImageGeometry>[] = [idefics3, fixedGrid, qwenVl];

/** Values of `model_type` that are understood. */
export const SUPPORTED_MODEL_TYPES: readonly string[] = FAMILIES.flatMap(
  ({ modelTypes }) => modelTypes,
);

export function familyOf(modelType: string): ModelFamily<ImageGeometry> | null {
  return FAMILIES.find(({ modelTypes }) => modelTypes.includes(modelType)) ?? null;
}
