import { tokensPerImage, type ModelShape } from './shape.ts';

/** Ids that the bundled tokenizer gives to its special tokens. */
const TOKEN = { pad: 0, bos: 1, eos: 3, image: 4 } as const;
/** PIL's number for Lanczos. */
const LANCZOS = 1;

/** The JSON files of a model folder, but for those that are the tokenizer's, by file name. */
export function configFiles(shape: ModelShape): Readonly<Record<string, unknown>> {
  return {
    'config.json': modelConfig(shape),
    'preprocessor_config.json': preprocessorConfig(shape),
    'processor_config.json': {
      processor_class: 'SmolVLMProcessor',
      image_seq_len: tokensPerImage(shape),
    },
    'generation_config.json': {
      bos_token_id: TOKEN.bos,
      eos_token_id: TOKEN.eos,
      pad_token_id: TOKEN.pad,
    },
  };
}

function modelConfig(shape: ModelShape): unknown {
  const ids = { bos_token_id: TOKEN.bos, eos_token_id: TOKEN.eos, pad_token_id: TOKEN.pad };
  return {
    architectures: ['SmolVLMForConditionalGeneration'],
    model_type: 'smolvlm',
    dtype: 'float32',
    ...ids,
    image_token_id: TOKEN.image,
    scale_factor: shape.scaleFactor,
    tie_word_embeddings: false,
    text_config: { ...textConfig(shape), ...ids },
    vision_config: visionConfig(shape),
  };
}

function textConfig({ text }: ModelShape): object {
  return {
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: text.width,
    intermediate_size: text.intermediate,
    num_hidden_layers: text.layers,
    num_attention_heads: text.heads,
    num_key_value_heads: text.kvHeads,
    head_dim: text.headDim,
    vocab_size: text.vocabSize,
    max_position_embeddings: text.maxPositions,
    rms_norm_eps: text.normEpsilon,
    rope_parameters: { rope_theta: text.ropeTheta, rope_type: 'default' },
    tie_word_embeddings: false,
  };
}

function visionConfig({ vision }: ModelShape): object {
  return {
    model_type: 'smolvlm_vision',
    hidden_act: 'gelu_pytorch_tanh',
    hidden_size: vision.width,
    intermediate_size: vision.intermediate,
    num_hidden_layers: vision.layers,
    num_attention_heads: vision.heads,
    num_channels: 3,
    image_size: vision.imageSize,
    patch_size: vision.patch,
  };
}

function preprocessorConfig({ vision }: ModelShape): unknown {
  return {
    image_processor_type: 'Idefics3ImageProcessor',
    processor_class: 'SmolVLMProcessor',
    do_convert_rgb: true,
    do_image_splitting: false,
    do_normalize: true,
    do_pad: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    max_image_size: { longest_edge: vision.imageSize },
    resample: LANCZOS,
    rescale_factor: 1 / 255,
    size: { longest_edge: vision.imageSize },
  };
}
