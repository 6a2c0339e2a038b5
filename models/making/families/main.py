"""Makes the miniatures of all families, or of those named: python -m making.families.main OUT [NAME ...]"""
import glob
import json
import os
import sys

import torch

from .export import Decoder, export_decoder, export_embed
from .golden import check_onnx, goldens
from .grouped import export_grouped
from .kinds import KINDS
from .text import make_tokenizer
from .towers import QwenTower, export_square, export_tower
from .variants import EXACT, FAST, eight, four, four_table, half
from .weights import scramble

MERGED = "decoder_model_merged"
SEED = 5


def make(name, spec, out):
    folder = f"{out}/{name}"
    os.makedirs(f"{folder}/onnx", exist_ok=True)
    build, config = spec["make"]()
    config._attn_implementation = "eager"
    # Some weights begin as noise of their own, to which `scramble` only adds.
    torch.manual_seed(SEED)
    model = scramble(build._from_config(config, attn_implementation="eager"), SEED)
    print(name, sum(p.numel() for p in model.parameters()), "parameters")
    tokenizer = make_tokenizer(folder, spec["special"], spec["template"], eos_token=spec["eos"], **({"bos_token": spec["bos"]} if "bos" in spec else {}))
    write(folder, "preprocessor_config.json", spec["preprocessor"])
    if "processor" in spec:
        write(folder, "processor_config.json", spec["processor"])
    found = config.to_dict()
    if "flat" in spec:
        # As these came before text models had a configuration of their own, and as the Hub's exports have them.
        found = found.pop("text_config") | found
    found["model_type"] = name
    write(folder, "config.json", found)
    write(folder, "generation_config.json", dict(eos_token_id=[tokenizer.eos_token_id]))
    decoder = export(spec, model, config, folder)
    golden = goldens(spec, model, tokenizer)
    write(folder, "golden.json", golden)
    if spec.get("bare"):
        # The model comes without a template: it is the server's.
        os.remove(f"{folder}/chat_template.jinja")
    check_onnx(spec, golden["cases"], folder, f"{folder}/onnx/{MERGED}.onnx", config)
    if spec.get("variants"):
        variants = f"{out}/variants/{name}"
        export_variants(spec, decoder, config, folder, variants)
        answers = {os.path.basename(path): check_onnx(spec, golden["cases"], folder, path, config) for path in sorted(glob.glob(f"{variants}/*.onnx"))}
        # Weights of 4 bits are another model: what its graph alone gives is its golden.
        if spec["variants"] != "fused":
            write(variants, "golden_q4.json", answers[f"{MERGED}_gqa_q4.onnx"])


def export(spec, model, config, folder):
    lm = model.model.language_model
    levels = len(getattr(config.vision_config, "deepstack_visual_indexes", []) or [])
    decoder = Decoder(model, lm, model.lm_head, grid="grid" in spec, levels=levels)
    export_decoder(decoder, config.text_config, f"{folder}/onnx/{MERGED}.onnx")
    export_embed(lm.embed_tokens, f"{folder}/onnx/embed_tokens.onnx")
    path = f"{folder}/onnx/vision_encoder.onnx"
    if "grid" in spec:
        export_tower(QwenTower(model), spec["values"], spec["grid"], path)
    else:
        export_square(model, spec["edge"], path)
    return decoder


def export_variants(spec, decoder, config, folder, out):
    """The fused decoder; unless that is all (`fused`), also in fp16 and q4; `rotates`: also the plain one in fp16, q8 and q4."""
    os.makedirs(out, exist_ok=True)
    inside = spec["variants"] == "rotates"
    fused = f"{out}/{MERGED}_gqa"
    export_grouped(decoder, config.text_config, f"{fused}.onnx", inside)
    if spec["variants"] == "fused":
        return
    half(f"{fused}.onnx", f"{fused}_fp16.onnx")
    four(f"{fused}.onnx", f"{fused}_q4.onnx", EXACT)
    if inside:
        plain = f"{folder}/onnx/{MERGED}.onnx"
        half(plain, f"{out}/{MERGED}_fp16.onnx")
        eight(plain, f"{out}/{MERGED}_q8.onnx")
        four(plain, f"{out}/{MERGED}_q4.onnx", FAST)
        four_table(f"{folder}/onnx/embed_tokens.onnx", f"{folder}/onnx/embed_tokens_q4.onnx")


def write(folder, name, value):
    with open(f"{folder}/{name}", "w") as file:
        json.dump(value, file, separators=(",", ":"))


if __name__ == "__main__":
    names = sys.argv[2:] or list(KINDS)
    for name in names:
        make(name, KINDS[name], sys.argv[1])
