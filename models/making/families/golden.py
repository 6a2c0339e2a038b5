"""What PyTorch computes: prompts, positions, pixels, features, greedy tokens."""
import json
import os
import random

import numpy as np
import onnxruntime as ort
import torch
from transformers import DynamicCache

from .export import cache_names
from .pictures import picture
from .towers import Square, features_of

CASES, TOKENS = 40, 12
WORDS = ["What is", "the third", "Compare", "colour", "read it", "left of", "two\nlines", "é", "1984"]


def image_processor(kind, options):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.glm46v.image_processing_pil_glm46v import Glm46VImageProcessorPil
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    name = options["image_processor_type"]
    chosen = {"Qwen2VLImageProcessor": Qwen2VLImageProcessorPil, "Glm46VImageProcessor": Glm46VImageProcessorPil, "CLIPImageProcessor": CLIPImageProcessorPil}.get(name, SiglipImageProcessorPil)
    drop = ("image_processor_type", "processor_class", "min_pixels", "max_pixels")
    return chosen(**{k: v for k, v in options.items() if k not in drop})


def size_of(spec, rng):
    if "edge" in spec:
        return spec["edge"], spec["edge"]
    return rng.randint(1, 4) * spec["block"], rng.randint(2, 4) * spec["block"]


def messages_of(rng, sizes):
    say = lambda: " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3)))
    images = [dict(type="image", image=i) for i in range(len(sizes))]
    if not images:
        return [dict(role="user", content=say())]
    if rng.random() < 0.6:
        return [dict(role="user", content=[*images, dict(type="text", text=say())])]
    later = images.pop()
    first = [*images, dict(type="text", text=say())]
    return [dict(role="user", content=first), dict(role="assistant", content=say()), dict(role="user", content=[later, dict(type="text", text=say())])]


def expand(text, rows, spec):
    """What the family's processor does to its template's text."""
    pieces = text.split(spec["placeholder"])
    row = spec.get("row_token", spec["placeholder"])
    out = pieces[0]
    for count, piece in zip(rows, pieces[1:]):
        out += spec.get("before", "") + row * count + spec.get("after", "") + piece
    return out


def inputs_of(model, spec, ids, pixels, grids):
    row = model.config.image_token_id
    given = dict(input_ids=ids, attention_mask=torch.ones_like(ids))
    if pixels is None:
        if "grid" in spec:
            given["mm_token_type_ids"] = (ids == row).int()
        return given
    given["pixel_values"] = pixels
    if "grid" in spec:
        given.update(image_grid_thw=grids, mm_token_type_ids=(ids == row).int())
    return given


def one_case(rng, spec, model, tokenizer, processor):
    sizes = [size_of(spec, rng) for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))]
    seeds = [rng.randint(0, 99) for _ in sizes]
    messages = messages_of(rng, sizes)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    pixels, grids, rows = None, None, []
    if sizes:
        made = processor([picture(w, h, s) for (w, h), s in zip(sizes, seeds)], return_tensors="pt")
        pixels, grids = made["pixel_values"], made.get("image_grid_thw")
        rows = [int(g.prod()) // 4 for g in grids] if grids is not None else [spec["rows"]] * len(sizes)
    ids = torch.tensor([tokenizer(expand(text, rows, spec), add_special_tokens=False)["input_ids"]])
    answer = greedy(model, spec, ids, pixels, grids)
    case = dict(images=[[w, h, s] for (w, h), s in zip(sizes, seeds)], messages=messages, prompt=runs(ids[0].tolist()), tokens=answer)
    if "grid" in spec:
        positions, delta = model.model.get_rope_index(ids, mm_token_type_ids=(ids == model.config.image_token_id).int(), image_grid_thw=grids, attention_mask=torch.ones_like(ids))
        case.update(positions=[axis.tolist() for axis in positions[:, 0]], delta=int(delta.reshape(-1)[0]))
    return case


def greedy(model, spec, ids, pixels, grids):
    if "views" in spec:
        return one_by_one(model, with_rows(model, ids, pixels))
    with torch.no_grad():
        out = model.generate(**inputs_of(model, spec, ids, pixels, grids), max_new_tokens=TOKENS, do_sample=False, eos_token_id=None, pad_token_id=0)
    return out[0, ids.shape[1]:].tolist()


def with_rows(model, ids, pixels):
    """A single view of each image, without the newline that PyTorch adds and no exported encoder has."""
    x = model.get_input_embeddings()(ids)
    if pixels is not None:
        x[ids == model.config.image_token_id] = view_rows(model, pixels)
    return x


def one_by_one(model, x):
    """The text model by itself, causal, as exported decoders are."""
    tokens, cache = [], DynamicCache()
    while len(tokens) < TOKENS:
        out = model.model.language_model(inputs_embeds=x, past_key_values=cache, use_cache=True)
        tokens.append(int(model.lm_head(out.last_hidden_state[:, -1]).argmax()))
        x = model.get_input_embeddings()(torch.tensor([tokens[-1:]]))
    return tokens


def view_rows(model, pixels):
    return Square(model)(pixels).reshape(-1, model.config.text_config.hidden_size)


def runs(ids):
    """[id, count] pairs: prompts are mostly the token of image rows."""
    out = []
    for value in ids:
        if out and out[-1][0] == value:
            out[-1][1] += 1
        else:
            out.append([value, 1])
    return out


def sampled(values, most=400):
    flat = values.reshape(-1)
    stride = max(1, flat.size // most)
    return dict(size=int(flat.size), stride=stride, values=[round(float(v), 6) for v in flat[::stride]])


def goldens(spec, model, tokenizer):
    rng = random.Random(11)
    processor = image_processor(None, spec["preprocessor"])
    cases = [one_case(rng, spec, model, tokenizer, processor) for _ in range(CASES)]
    features = []
    for seed in (3, 4):
        w, h = size_of(spec, rng)
        made = processor([picture(w, h, seed)], return_tensors="pt")
        grid = made.get("image_grid_thw")
        with torch.no_grad():
            given = [made["pixel_values"], *([grid] if grid is not None else [])]
            found = view_rows(model, *given) if "views" in spec else model.model.get_image_features(*given)
        deep = getattr(found, "deepstack_features", None)
        rows = features_of(found).reshape(-1, model.config.text_config.hidden_size)
        if deep:
            rows = torch.cat([rows, *deep], -1)
        features.append(dict(image=[w, h, seed], pixels=sampled(made["pixel_values"].numpy()), features=sampled(rows.numpy(), 100000)))
    result = dict(cases=cases, features=features)
    if "grid" in spec:
        result["sizes"] = size_table(processor)
    return result


def size_table(processor):
    """[width, height, tokens] of sizes of every kind: small, long, halves of a block, far above the limit."""
    rng = random.Random(5)
    edges = [1, 2, 13, 14, 27, 28, 29, 42, 70, 98, 112, 126, 700, 4000]
    sizes = [(w, h) for w in edges for h in edges]
    sizes += [(rng.randint(1, 3000), rng.randint(1, 3000)) for _ in range(1800)]
    sizes = [(w, h) for w, h in sizes if max(w, h) <= 200 * min(w, h)]
    return [[w, h, processor.get_number_of_image_patches(h, w, {}) // 4] for w, h in sizes]


def check_onnx(spec, cases, folder, decoder, config):
    """The split graphs, one after the other, with the decoder at that path: their tokens. Prints how often they are PyTorch's."""
    session = lambda name: ort.InferenceSession(f"{folder}/onnx/{name}.onnx")
    vision, embed, text = session("vision_encoder"), session("embed_tokens"), ort.InferenceSession(decoder)
    processor = image_processor(None, spec["preprocessor"])
    answers = [run_onnx(spec, c, vision, embed, text, processor, config) for c in cases]
    same = sum(answer == c["tokens"] for answer, c in zip(answers, cases))
    print(f"  {os.path.basename(decoder)}: {same} of {len(cases)} answers are PyTorch's, {len({tuple(c['tokens']) for c in cases})} are distinct")
    return answers


def run_onnx(spec, case, vision, embed, text, processor, config):
    ids = np.array([[v for v, n in case["prompt"] for _ in range(n)]])
    x = embed.run(None, {"input_ids": ids})[0]
    inputs = {i.name: i for i in text.get_inputs()}
    levels = inputs["deepstack_features"].shape[0] if "deepstack_features" in inputs else 0
    deep = np.zeros((levels, *x.shape), np.float32)
    at = np.nonzero(ids[0] == config.image_token_id)[0]
    for w, h, s in case["images"]:
        made = processor([picture(w, h, s)], return_tensors="np")
        out = vision.run(None, {i.name: np.asarray(made["pixel_values"] if i.name == "pixel_values" else made["image_grid_thw"]) for i in vision.get_inputs()})
        rows = out[0].reshape(-1, x.shape[-1])
        x[0, at[: len(rows)]] = rows
        for level in range(levels):
            deep[level, 0, at[: len(rows)]] = out[1][level]
        at = at[len(rows):]
    names = cache_names(sum(n.endswith(".key") for n in inputs))
    kv = inputs["past_key_values.0.key"]
    kind = np.float16 if "float16" in kv.type else np.float32
    past = {f"past_key_values.{n}": np.zeros((1, kv.shape[1], 0, kv.shape[3]), kind) for n in names}
    tokens, length = [], 0
    grid = "grid" in spec
    positions = np.array(case["positions"])[:, None] if grid else np.arange(ids.shape[1])[None]
    while len(tokens) < TOKENS:
        length += x.shape[1]
        feeds = dict(inputs_embeds=x, attention_mask=np.ones((1, length), np.int64), **past)
        if "position_ids" in inputs:
            feeds["position_ids"] = positions.astype(np.int64)
        if levels:
            feeds["deepstack_features"] = deep.astype(np.float16 if "float16" in inputs["deepstack_features"].type else np.float32)
        if "num_logits_to_keep" in inputs:
            feeds["num_logits_to_keep"] = np.array(1)
        out = text.run(None, feeds)
        tokens.append(int(out[0][0, -1].argmax()))
        past = dict(zip(past, out[1:]))
        x = embed.run(None, {"input_ids": np.array([[tokens[-1]]])})[0]
        deep = np.zeros((levels, *x.shape), np.float32)
        positions = np.full((3, 1, 1), length + case["delta"]) if grid else np.full((1, 1), length)
    return tokens
