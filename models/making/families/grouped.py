"""The fused decoder: attention, mask and the append to the cache in one GroupQueryAttention per layer.

Past keys and values are inputs of the operator, and queries and keys come to it rotated (as every export with
positions in three dimensions has them), or are rotated by it (`inside`), which takes no position_ids.
"""
import contextlib
import importlib

import torch
import torch.nn as nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from .export import OPTIONS, cache_names

NAME = "grouped"
# Rows of the tables of rotation inside the operator: longer than any prompt of the goldens.
ROTATION_ROWS = 512


class Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx, query, key, value, past_key, past_value, lengths, total, cos, sin, attributes):
        return (torch.zeros_like(query), *(torch.cat([past, past.new_zeros(past.shape[0], past.shape[1], query.shape[1], past.shape[3])], 2)
                                           for past in (past_key, past_value)))

    @staticmethod
    def symbolic(g, query, key, value, past_key, past_value, lengths, total, cos, sin, attributes):
        tables = [] if cos is None or cos.node().mustBeNone() else [cos, sin]
        out, *present = g.op("com.microsoft::GroupQueryAttention", query, key, value, past_key, past_value, lengths, total, *tables,
                             do_rotary_i=int(bool(tables)), outputs=3, **attributes)
        out.setType(query.type())
        for made, past in zip(present, (past_key, past_value)):
            made.setType(past.type())
        return out, *present


class Past:
    """Stands where a cache would: keeps what a layer adds, for the operator to append."""

    def __init__(self, flat, lengths, total, tables):
        self.flat, self.lengths, self.total, self.tables, self.present = flat, lengths, total, tables, []

    def update(self, key, value, layer, *rest, **more):
        return key, value

    def attend(self, layer, query, key, value, attributes):
        rows = lambda x: x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)
        out, *present = Attend.apply(rows(query), rows(key), rows(value), *self.flat[2 * layer:2 * layer + 2], self.lengths, self.total, *self.tables, attributes)
        self.present += present
        return out


class Grouped(nn.Module):
    """Inputs as the plain decoder's, and `num_logits_to_keep` (0: all) before the caches. `inside`: no positions."""

    def __init__(self, plain, inside):
        super().__init__()
        self.plain, self.inside = plain, inside
        self.layers, self.grid, self.levels = plain.layers, plain.grid, plain.levels

    def tables(self, kind):
        if not self.inside:
            return None, None
        places = torch.arange(ROTATION_ROWS)[None]
        cos, sin = self.plain.rope(torch.zeros(1, 1, 1), places, kind)
        half = cos.shape[-1] // 2
        return cos[0, :, :half].contiguous(), sin[0, :, :half].contiguous()

    def forward(self, inputs_embeds, attention_mask, *rest):
        rest = list(rest)
        position_ids = None if self.inside else rest.pop(0)
        deep = rest.pop(0) if self.levels else None
        keep, *flat = rest
        plain = self.plain
        lengths = (attention_mask.sum(1) - 1).int()
        total = torch._shape_as_tensor(attention_mask)[1].int()
        past = Past(flat, lengths, total, self.tables(plain.types[0]))
        x = inputs_embeds
        ropes = {k: (None, None) if self.inside else plain.rope(x, position_ids, k) for k in set(plain.types)}
        for i, layer in enumerate(plain.text.layers):
            out = layer(x, attention_mask=None, position_ids=None, past_key_values=past, use_cache=True, position_embeddings=ropes[plain.types[i]], past=past)
            x = out[0] if isinstance(out, tuple) else out
            if i < self.levels:
                x = x + deep[i]
        x = plain.text.norm(x)[:, -keep:]
        return (plain.head(x), *past.present)


def attend(module, query, key, value, attention_mask, scaling=None, sliding_window=None, past=None, **more):
    heads, kv = query.shape[1], key.shape[1]
    attributes = dict(num_heads_i=heads, kv_num_heads_i=kv, scale_f=float(scaling))
    if sliding_window is not None:
        attributes["local_window_size_i"] = sliding_window
    out = past.attend(module.layer_idx, query, key, value, attributes)
    return out.reshape(*out.shape[:2], heads, -1), None


@contextlib.contextmanager
def attending(text, inside):
    """The model's layers call `attend`; with `inside` they rotate nothing themselves."""
    ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
    module = importlib.import_module(type(text.layers[0].self_attn).__module__)
    before, rotate = text.config._attn_implementation, module.apply_rotary_pos_emb
    text.config._attn_implementation = NAME
    if inside:
        module.apply_rotary_pos_emb = lambda query, key, *rest, **more: (query, key)
    try:
        yield
    finally:
        text.config._attn_implementation, module.apply_rotary_pos_emb = before, rotate


def export_grouped(plain, config, path, inside):
    decoder = Grouped(plain, inside)
    names = cache_names(decoder.layers)
    past = [torch.randn(2, config.num_key_value_heads, 4, config.head_dim) for _ in names]
    row = {0: "batch_size", 1: "sequence_length"}
    given = {"inputs_embeds": (torch.randn(2, 3, config.hidden_size), row),
             "attention_mask": (torch.ones(2, 7, dtype=torch.int64), {0: "batch_size", 1: "total_sequence_length"})}
    if not inside:
        places = torch.arange(4, 7)
        given["position_ids"] = (places.repeat(3, 2, 1), {1: "batch_size", 2: "sequence_length"}) if decoder.grid else (places.repeat(2, 1), row)
    if decoder.levels:
        given["deepstack_features"] = (torch.randn(decoder.levels, 2, 3, config.hidden_size), {1: "batch_size", 2: "sequence_length"})
    given["num_logits_to_keep"] = (torch.tensor(1), {})
    axes = {name: axis for name, (_, axis) in given.items() if axis} | {"logits": {0: "batch_size", 1: "logits_kept"}}
    for n in names:
        axes[f"past_key_values.{n}"] = {0: "batch_size", 2: "past_sequence_length"}
        axes[f"present.{n}"] = {0: "batch_size", 2: "present_sequence_length"}
    with attending(plain.text, inside):
        torch.onnx.export(decoder, (*(value for value, _ in given.values()), *past), path, input_names=[*given] + [f"past_key_values.{n}" for n in names],
                          output_names=["logits"] + [f"present.{n}" for n in names], dynamic_axes=axes, custom_opsets={"com.microsoft": 1}, **OPTIONS)
