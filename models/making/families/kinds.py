"""Small configurations that keep each family's real constants: factors, order, means, sections."""
from transformers import (
    CLIPVisionConfig, Gemma3Config, Gemma3ForConditionalGeneration, GlmOcrConfig, GlmOcrForConditionalGeneration, LlavaConfig, LlavaForConditionalGeneration, LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration, PaliGemmaConfig, PaliGemmaForConditionalGeneration, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLConfig,
    Qwen2VLForConditionalGeneration, Qwen3VLConfig, Qwen3VLForConditionalGeneration,
)

from .text import FIRST, GEMMA_TEMPLATE, GLM_TEMPLATE, LLAVA_TEMPLATE, PALIGEMMA_TEMPLATE, QWEN_TEMPLATE, vocabulary

HIDDEN, LAYERS, HEADS, KV, DIM, MLP = 64, 3, 4, 2, 16, 64
VISION = dict(hidden_size=32, intermediate_size=64)
# Patches of a Qwen tower are long and its mergers four times as wide as it is.
QWEN_VISION = dict(hidden_size=16, intermediate_size=32)
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
HALF = [0.5, 0.5, 0.5]
QWEN_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
GLM_SPECIAL = ["<|endoftext|>", "[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|begin_of_image|>", "<|image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|video|>", "<|end_of_video|>"]
LLAVA_SPECIAL = ["<unk>", "<s>", "</s>", "<image>"]
PALIGEMMA_SPECIAL = ["<pad>", "<eos>", "<bos>", "<image>"]
GEMMA_SPECIAL = ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>"]


def text(special, **more):
    return dict(hidden_size=HIDDEN, intermediate_size=MLP, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV,
                head_dim=DIM, vocab_size=vocabulary(special), max_position_embeddings=2048, tie_word_embeddings=True, **more)


def rope(**more):
    return dict(rope_type="default", rope_theta=10000.0, **more)


def qwen_ids():
    at = lambda name: FIRST + QWEN_SPECIAL.index(name)
    return dict(image_token_id=at("<|image_pad|>"), video_token_id=at("<|video_pad|>"), vision_start_token_id=at("<|vision_start|>"),
                vision_end_token_id=at("<|vision_end|>"), tie_word_embeddings=True)


def qwen2_vl():
    config = Qwen2VLConfig(text_config=text(QWEN_SPECIAL, rope_parameters=rope(mrope_section=[2, 3, 3]), use_sliding_window=False),
                           vision_config=dict(depth=2, embed_dim=16, hidden_size=HIDDEN, num_heads=2, mlp_ratio=2, patch_size=14,
                                              spatial_merge_size=2, temporal_patch_size=2), **qwen_ids())
    return Qwen2VLForConditionalGeneration, config


def qwen2_5_vl():
    config = Qwen2_5_VLConfig(text_config=text(QWEN_SPECIAL, rope_parameters=rope(mrope_section=[2, 3, 3]), use_sliding_window=False),
                              vision_config=dict(depth=2, num_heads=2, patch_size=14, spatial_merge_size=2, temporal_patch_size=2, window_size=56,
                                                 fullatt_block_indexes=[1], out_hidden_size=HIDDEN, tokens_per_second=2, **QWEN_VISION), **qwen_ids())
    return Qwen2_5_VLForConditionalGeneration, config


def qwen3_vl():
    config = Qwen3VLConfig(text_config=text(QWEN_SPECIAL, rope_parameters=rope(mrope_section=[4, 2, 2], mrope_interleaved=True)),
                           vision_config=dict(depth=2, num_heads=2, patch_size=16, spatial_merge_size=2, temporal_patch_size=2,
                                              num_position_embeddings=64, deepstack_visual_indexes=[0, 1], out_hidden_size=HIDDEN, **QWEN_VISION), **qwen_ids())
    return Qwen3VLForConditionalGeneration, config


def glm_ocr():
    at = lambda name: FIRST + GLM_SPECIAL.index(name)
    config = GlmOcrConfig(text_config=text(GLM_SPECIAL, rope_parameters=rope(mrope_section=[2, 3, 3])),
                          vision_config=dict(depth=2, num_heads=2, patch_size=14, spatial_merge_size=2, temporal_patch_size=2, out_hidden_size=HIDDEN, **QWEN_VISION),
                          image_token_id=at("<|image|>"), video_token_id=at("<|video|>"), image_start_token_id=at("<|begin_of_image|>"), image_end_token_id=at("<|end_of_image|>"),
                          video_start_token_id=at("<|begin_of_video|>"), video_end_token_id=at("<|end_of_video|>"), tie_word_embeddings=True)
    return GlmOcrForConditionalGeneration, config


def clip(edge):
    return CLIPVisionConfig(num_hidden_layers=2, num_attention_heads=2, image_size=edge, patch_size=14, projection_dim=32, **VISION)


def siglip(edge):
    return dict(model_type="siglip_vision_model", num_hidden_layers=2, num_attention_heads=2, image_size=edge, patch_size=14, vision_use_head=False, **VISION)


def llava():
    config = LlavaConfig(vision_config=clip(56), text_config=text(LLAVA_SPECIAL, model_type="llama", rope_parameters=rope()), image_token_id=FIRST + 3,
                         vision_feature_layer=-2, vision_feature_select_strategy="default", image_seq_length=16)
    return LlavaForConditionalGeneration, config


def llava_qwen2():
    config = LlavaConfig(vision_config=clip(56), text_config=text(LLAVA_SPECIAL, model_type="qwen2", rope_parameters=rope(), use_sliding_window=False),
                         image_token_id=FIRST + 3, vision_feature_layer=-2, vision_feature_select_strategy="default", image_seq_length=16)
    return LlavaForConditionalGeneration, config


def llava_onevision():
    config = LlavaOnevisionConfig(vision_config=siglip(56), text_config=text(LLAVA_SPECIAL, model_type="qwen2", rope_parameters=rope(), use_sliding_window=False),
                                  image_token_id=FIRST + 3, vision_feature_layer=-1, vision_feature_select_strategy="full")
    return LlavaOnevisionForConditionalGeneration, config


def gemma3():
    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    ropes = {"sliding_attention": rope(), "full_attention": dict(rope_type="default", rope_theta=1000000.0)}
    config = Gemma3Config(vision_config=siglip(56), text_config=text(GEMMA_SPECIAL, sliding_window=8, layer_types=kinds, query_pre_attn_scalar=DIM, rope_parameters=ropes),
                          mm_tokens_per_image=4, image_token_id=FIRST + 7, boi_token_id=FIRST + 5, eoi_token_id=FIRST + 6)
    return Gemma3ForConditionalGeneration, config


def paligemma():
    config = PaliGemmaConfig(vision_config=dict(projection_dim=HIDDEN, **siglip(56)), projection_dim=HIDDEN, hidden_size=HIDDEN, image_token_index=FIRST + 3,
                             text_config=text(PALIGEMMA_SPECIAL, model_type="gemma", rope_parameters=rope(), use_bidirectional_attention=False))
    return PaliGemmaForConditionalGeneration, config


QWEN = dict(special=QWEN_SPECIAL, template=QWEN_TEMPLATE.replace("IMAGE", "<|image_pad|>"), placeholder="<|image_pad|>", eos="<|im_end|>")
GLM = dict(special=GLM_SPECIAL, template=GLM_TEMPLATE, placeholder="<|image|>", eos="<|endoftext|>")
LLAVA = dict(special=LLAVA_SPECIAL, template=LLAVA_TEMPLATE, placeholder="<image>", eos="</s>")
PALIGEMMA = dict(special=PALIGEMMA_SPECIAL, template=PALIGEMMA_TEMPLATE, placeholder="<image>", eos="<eos>", bos="<bos>")
GEMMA = dict(special=GEMMA_SPECIAL, template=GEMMA_TEMPLATE, placeholder="<start_of_image>", eos="<end_of_turn>", bos="<bos>")


def qwen_images(patch, mean, std, grid_name, processor="Qwen2VLImageProcessor"):
    block = 2 * patch
    preprocessor = dict(image_processor_type=processor, processor_class="Qwen2_5_VLProcessor", do_resize=True, do_rescale=True, do_normalize=True, do_convert_rgb=True,
                        rescale_factor=1 / 255, patch_size=patch, merge_size=2, temporal_patch_size=2, resample=3, image_mean=mean, image_std=std,
                        size=dict(shortest_edge=2 * block * block, longest_edge=64 * block * block), min_pixels=2 * block * block, max_pixels=64 * block * block)
    return dict(grid=grid_name, block=block, values=3 * 2 * patch * patch, preprocessor=preprocessor)


def square_images(mean, std, processor, **more):
    preprocessor = dict(image_processor_type=processor, do_resize=True, do_rescale=True, do_normalize=True, do_convert_rgb=True,
                        rescale_factor=1 / 255, resample=3, image_mean=mean, image_std=std, size=dict(height=56, width=56), **more)
    return dict(edge=56, preprocessor=preprocessor)


CROP = dict(do_center_crop=True, crop_size=dict(height=56, width=56))
KINDS = {
    "qwen2_vl": dict(make=qwen2_vl, variants="fused", flat=True, **QWEN, **qwen_images(14, CLIP_MEAN, CLIP_STD, "grid_thw")),
    "qwen2_5_vl": dict(make=qwen2_5_vl, variants="rotated", **QWEN, **qwen_images(14, CLIP_MEAN, CLIP_STD, "image_grid_thw")),
    "qwen3_vl": dict(make=qwen3_vl, variants="rotated", **QWEN, **qwen_images(16, HALF, HALF, "image_grid_thw")),
    "glm_ocr": dict(make=glm_ocr, variants="fused", **GLM, **qwen_images(14, CLIP_MEAN, CLIP_STD, "image_grid_thw", "Glm46VImageProcessor")),
    "llava": dict(make=llava, variants="rotates", rows=16, processor=dict(processor_class="LlavaProcessor", patch_size=14, num_additional_image_tokens=1, vision_feature_select_strategy="default"),
                  **LLAVA, **square_images(CLIP_MEAN, CLIP_STD, "CLIPImageProcessor", **CROP)),
    "llava_qwen2": dict(make=llava_qwen2, variants="fused", flat=True, rows=16, processor=dict(processor_class="LlavaProcessor", patch_size=14, num_additional_image_tokens=0),
                        **LLAVA, **square_images([0, 0, 0], [1, 1, 1], "CLIPImageProcessor", **CROP)),
    "llava_onevision": dict(make=llava_onevision, variants="fused", rows=16, views="one", processor=dict(num_image_tokens=16), **LLAVA, **square_images(HALF, HALF, "SiglipImageProcessor")),
    "paligemma": dict(make=paligemma, variants="fused", bare=True, rows=16, views="one", **PALIGEMMA, **square_images(HALF, HALF, "SiglipImageProcessor", image_seq_length=16)),
    "gemma3": dict(make=gemma3, variants="rotated", rows=4, before="\n\n<start_of_image>", row_token="<image_soft_token>", after="<end_of_image>\n\n",
                   processor=dict(processor_class="Gemma3Processor", image_seq_length=4), **GEMMA, **square_images(HALF, HALF, "Gemma3ImageProcessor")),
}
for kind in ("llava", "llava_qwen2"):
    KINDS[kind]["preprocessor"]["size"] = dict(shortest_edge=56)
