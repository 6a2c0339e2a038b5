/** Sizes of a model that the harness builds. Lengths are elements, `imageSize` and `patch` pixels. */
export interface ModelShape {
  readonly name: string;
  readonly vision: {
    readonly layers: number;
    readonly width: number;
    readonly heads: number;
    readonly intermediate: number;
    readonly imageSize: number;
    readonly patch: number;
  };
  /** A greedy answer counts: after the token n comes n + 1. @default tokens without a rule */
  readonly counts?: true;
  /** Side of the square of patches that pixel shuffle merges into one embedding. */
  readonly scaleFactor: number;
  readonly text: {
    readonly layers: number;
    readonly width: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly intermediate: number;
    readonly vocabSize: number;
    readonly maxPositions: number;
    readonly ropeTheta: number;
    readonly normEpsilon: number;
  };
}

const FULL_VISION_LAYERS = 12;
const FULL_TEXT_LAYERS = 30;

/**
 * SmolVLM-256M's shape. `scale` shortens both stacks of layers and nothing else, so that widths,
 * tokens per image and the head's cost stay those of the real model. Two things differ at any scale:
 * 2048 positions instead of 8192, which costs no time and keeps KV slots small, and no image splitting.
 */
export function smolvlmShape(scale = 1): ModelShape {
  if (!(scale > 0 && scale <= 1)) throw new RangeError(`Expected a scale in (0, 1], got ${scale}`);
  const layers = (full: number): number => Math.max(1, Math.round(full * scale));
  return {
    name: scale === 1 ? 'smolvlm-shape' : `smolvlm-shape-x${scale}`,
    vision: {
      layers: layers(FULL_VISION_LAYERS),
      width: 768,
      heads: 12,
      intermediate: 3072,
      imageSize: 512,
      patch: 16,
    },
    scaleFactor: 4,
    text: {
      layers: layers(FULL_TEXT_LAYERS),
      width: 576,
      heads: 9,
      kvHeads: 3,
      headDim: 64,
      intermediate: 1536,
      vocabSize: 49_280,
      maxPositions: 2048,
      ropeTheta: 100_000,
      normEpsilon: 1e-5,
    },
  };
}

/** The shape with weights by which a greedy answer counts, so that a prompt can hold what it will say. */
export const counting = (shape: ModelShape): ModelShape => ({
  ...shape,
  name: `${shape.name}-counting`,
  counts: true,
});

/** Patches along one side of an image. */
export const patchesPerSide = ({ vision }: ModelShape): number => vision.imageSize / vision.patch;

/** Embeddings, and so tokens, that one image becomes. */
export const tokensPerImage = (shape: ModelShape): number =>
  (patchesPerSide(shape) / shape.scaleFactor) ** 2;
