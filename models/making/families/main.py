"""Makes the miniatures of all families, or of those named: python -m making.families.main OUT [NAME ...]"""
import json
import os
import sys

from .export import Decoder, export_decoder, export_embed
from .golden import check_onnx, goldens
from .kinds import KINDS
from .text import make_tokenizer
from .towers import QwenTower, export_square, export_tower
from .weights import scramble


def make(name, spec, out):
    folder = f"{out}/{name}"
    os.makedirs(f"{folder}/onnx", exist_ok=True)
    build, config = spec["make"]()
    config._attn_implementation = "eager"
    model = scramble(build._from_config(config, attn_implementation="eager"), seed=5)
    print(name, sum(p.numel() for p in model.parameters()), "parameters")
    tokenizer = make_tokenizer(folder, spec["special"], spec["template"], eos_token=spec["eos"], **({"bos_token": spec["bos"]} if "bos" in spec else {}))
    write(folder, "preprocessor_config.json", spec["preprocessor"])
    if "processor" in spec:
        write(folder, "processor_config.json", spec["processor"])
    found = config.to_dict()
    found["model_type"] = name
    write(folder, "config.json", found)
    write(folder, "generation_config.json", dict(eos_token_id=[tokenizer.eos_token_id]))
    export(spec, model, config, folder)
    golden = goldens(spec, model, tokenizer)
    write(folder, "golden.json", golden)
    check_onnx(spec, golden["cases"], folder, config=model.config)
    return model


def export(spec, model, config, folder):
    lm = model.model.language_model
    levels = len(getattr(config.vision_config, "deepstack_visual_indexes", []) or [])
    decoder = Decoder(model, lm, model.lm_head, grid="grid" in spec, levels=levels)
    export_decoder(decoder, config.text_config, f"{folder}/onnx/decoder_model_merged.onnx")
    export_embed(lm.embed_tokens, f"{folder}/onnx/embed_tokens.onnx")
    path = f"{folder}/onnx/vision_encoder.onnx"
    if "grid" in spec:
        export_tower(QwenTower(model), spec["values"], spec["grid"], path)
    else:
        export_square(model, spec["edge"], path)


def write(folder, name, value):
    with open(f"{folder}/{name}", "w") as file:
        json.dump(value, file, separators=(",", ":"))


if __name__ == "__main__":
    names = sys.argv[2:] or list(KINDS)
    for name in names:
        make(name, KINDS[name], sys.argv[1])
