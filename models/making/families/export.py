"""Wrappers with flat caches, and their export in the Hub's layout."""
import torch
import torch.nn as nn
from transformers import DynamicCache

OPTIONS = dict(opset_version=17, dynamo=False)
CLOSED = -1e9


def causal(t, attention_mask, window=None):
    total = attention_mask.shape[1]
    rows = (torch.arange(t) + (total - t))[:, None]
    columns = torch.arange(total)[None, :]
    # Rows may hold fewer tokens than the cache is long: places count what is open.
    place = attention_mask.cumsum(-1)
    seen = (columns <= rows)[None, None] & attention_mask.bool()[:, None, None, :]
    if window is not None:
        ahead = place[:, None, -t:, None] - place[:, None, None, :]
        seen = seen & (ahead < window)
    return torch.where(seen, torch.zeros(()), torch.full((), CLOSED))


def by_pairs(sections):
    """GLM turns neighbours, not halves; written so that the exporter knows the shape."""
    def recompose(freq):
        found = torch.cat([part[i % 3] for i, part in enumerate(freq.split(sections, dim=-1))], dim=-1)
        return torch.stack((found, found), -1).flatten(-2)
    return recompose


class Embed(nn.Module):
    def __init__(self, embed):
        super().__init__()
        self.embed = embed

    def forward(self, input_ids):
        return self.embed(input_ids)


class Decoder(nn.Module):
    """Plain attention that concatenates. `grid`: positions in three dimensions; `levels`: of DeepStack."""

    def __init__(self, model, text, head, grid=False, levels=0):
        super().__init__()
        self.text, self.head, self.grid, self.levels = text, head, grid, levels
        self.layers = len(text.layers)
        config = text.config
        self.types = getattr(config, "layer_types", None) or ["full_attention"] * self.layers
        self.window = getattr(config, "sliding_window", None)
        self.per_type = model.config.model_type == "gemma3"
        if model.config.model_type == "glm_ocr":
            text.rotary_emb.recomposition_frequencies = by_pairs(text.rotary_emb.mrope_section)

    def rope(self, x, position_ids, kind):
        return self.text.rotary_emb(x, position_ids, kind) if self.per_type else self.text.rotary_emb(x, position_ids)

    def forward(self, inputs_embeds, attention_mask, position_ids, *rest):
        deep = rest[0] if self.levels else None
        past = rest[1:] if self.levels else rest
        cache = DynamicCache()
        for i in range(self.layers):
            cache.update(past[2 * i], past[2 * i + 1], i)
        x = inputs_embeds
        t = x.shape[1]
        masks = {k: causal(t, attention_mask, self.window if k == "sliding_attention" else None) for k in set(self.types)}
        ropes = {k: self.rope(x, position_ids, k) for k in set(self.types)}
        for i, layer in enumerate(self.text.layers):
            kind = self.types[i]
            out = layer(x, attention_mask=masks[kind], position_ids=position_ids[0] if self.grid else position_ids,
                        past_key_values=cache, use_cache=True, position_embeddings=ropes[kind])
            x = out[0] if isinstance(out, tuple) else out
            if i < self.levels:
                x = x + deep[i]
        logits = self.head(self.text.norm(x))
        flat = [side for layer in cache.layers for side in (layer.keys, layer.values)]
        return (logits, *flat)


def cache_names(layers):
    return [f"{i}.{side}" for i in range(layers) for side in ("key", "value")]


def export_decoder(decoder, config, path):
    layers, hidden = decoder.layers, config.hidden_size
    heads, dim = config.num_key_value_heads, config.head_dim
    names = cache_names(layers)
    past = [torch.randn(2, heads, 4, dim) for _ in names]
    positions = torch.arange(4, 7).repeat(3, 2, 1) if decoder.grid else torch.arange(4, 7).repeat(2, 1)
    row = {0: "batch_size", 1: "sequence_length"}
    axes = {"inputs_embeds": row, "attention_mask": {0: "batch_size", 1: "total_sequence_length"}, "logits": row,
            "position_ids": {1: "batch_size", 2: "sequence_length"} if decoder.grid else row}
    inputs = ["inputs_embeds", "attention_mask", "position_ids"]
    values = [torch.randn(2, 3, hidden), torch.ones(2, 7, dtype=torch.int64), positions]
    if decoder.levels:
        inputs.append("deepstack_features")
        values.append(torch.randn(decoder.levels, 2, 3, hidden))
        axes["deepstack_features"] = {1: "batch_size", 2: "sequence_length"}
    for n in names:
        axes[f"past_key_values.{n}"] = {0: "batch_size", 2: "past_sequence_length"}
        axes[f"present.{n}"] = {0: "batch_size", 2: "total_sequence_length"}
    torch.onnx.export(decoder, (*values, *past), path, input_names=inputs + [f"past_key_values.{n}" for n in names],
                      output_names=["logits"] + [f"present.{n}" for n in names], dynamic_axes=axes, **OPTIONS)


def export_embed(embed, path):
    row = {0: "batch_size", 1: "sequence_length"}
    torch.onnx.export(Embed(embed), (torch.zeros(2, 3, dtype=torch.int64),), path, input_names=["input_ids"],
                      output_names=["inputs_embeds"], dynamic_axes={"input_ids": row, "inputs_embeds": row}, **OPTIONS)
