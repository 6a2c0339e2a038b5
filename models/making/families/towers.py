"""Vision encoders: fixed squares as they are, and Qwen's towers written out in tensor operations."""
import importlib

import torch
import torch.nn as nn

from .export import CLOSED, OPTIONS

MERGE = 2


class Square(nn.Module):
    """[images, 3, edge, edge] to [images, rows, hidden]."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        inner, config = self.model.model, self.model.config
        tower = inner.vision_tower(pixel_values, output_hidden_states=True)
        if config.model_type in ("gemma3", "paligemma"):
            return inner.multi_modal_projector(tower.last_hidden_state)
        x = tower.hidden_states[config.vision_feature_layer]
        return inner.multi_modal_projector(x[:, 1:] if config.vision_feature_select_strategy == "default" else x)


def features_of(found):
    found = getattr(found, "pooler_output", found)
    if isinstance(found, (tuple, list)):
        found = torch.stack(list(found)) if found[0].dim() == 2 else torch.cat(list(found))
    return found


class QwenTower(nn.Module):
    """One image of any grid; places, windows and rotation are computed in the graph."""

    def __init__(self, model):
        super().__init__()
        self.visual = model.model.visual
        self.config = model.config.vision_config
        kind = model.config.model_type
        self.kind = kind
        module = importlib.import_module(f"transformers.models.{kind}.modeling_{kind}")
        self.rotate = module.apply_rotary_pos_emb_vision

    def places(self, h, w):
        def ordered(p):
            return p.reshape(h // MERGE, MERGE, w // MERGE, MERGE).permute(0, 2, 1, 3).reshape(-1)
        rows = ordered(torch.arange(h)[:, None].expand(h, w))
        cols = ordered(torch.arange(w)[None, :].expand(h, w))
        return rows, cols

    def learned(self, rows, cols, h, w):
        """Qwen3-VL: the learned square of places, stretched to the grid."""
        side = self.visual.num_grid_per_side
        at = lambda place, size: place.float() * (side - 1) / (size - 1)
        y, x = at(rows, h), at(cols, w)
        y0, x0 = y.long(), x.long()
        y1, x1 = (y0 + 1).clamp(max=side - 1), (x0 + 1).clamp(max=side - 1)
        dy, dx = (y - y0)[:, None], (x - x0)[:, None]
        e = lambda a, b: self.visual.pos_embed(a * side + b)
        return e(y0, x0) * (1 - dy) * (1 - dx) + e(y0, x1) * (1 - dy) * dx + e(y1, x0) * dy * (1 - dx) + e(y1, x1) * dy * dx

    def windows(self, h, w):
        """Qwen2.5-VL: cells sorted by window, and who is in whose."""
        gh, gw = h // MERGE, w // MERGE
        k = self.config.window_size // self.config.patch_size // MERGE
        row = torch.arange(gh)[:, None].expand(gh, gw).reshape(-1)
        col = torch.arange(gw)[None, :].expand(gh, gw).reshape(-1)
        window = (row // k) * 100000 + (col // k)
        order = torch.argsort(window * 1000000 + row * 1000 + col)
        mine = window[order][:, None].expand(gh * gw, MERGE**2).reshape(-1)
        return order, torch.where(mine[:, None] == mine[None, :], torch.zeros(()), torch.full((), CLOSED))

    def merged(self, x):
        if self.kind != "glm_ocr":
            return self.visual.merger(x)
        v = self.visual
        blocks = v.post_layernorm(x).reshape(-1, MERGE, MERGE, x.shape[-1]).permute(0, 3, 1, 2)
        return v.merger(v.downsample(blocks).reshape(-1, self.config.out_hidden_size))

    def attend(self, block, y, cos, sin, mask):
        a, n = block.attn, y.shape[0]
        q, k, v = a.qkv(y).reshape(n, 3, a.num_heads, -1).permute(1, 0, 2, 3).unbind(0)
        if self.kind == "glm_ocr":
            q, k = a.q_norm(q), a.k_norm(k)
        q, k = self.rotate(q, k, cos, sin)
        scores = torch.einsum("qhd,khd->hqk", q, k) * q.shape[-1] ** -0.5
        if mask is not None:
            scores = scores + mask
        return a.proj(torch.einsum("hqk,khd->qhd", scores.softmax(-1), v).reshape(n, -1))

    def forward(self, pixel_values, image_grid_thw):
        h, w = image_grid_thw[0, 1], image_grid_thw[0, 2]
        v = self.visual
        x = v.patch_embed(pixel_values)
        rows, cols = self.places(h, w)
        if self.kind == "qwen3_vl":
            x = x + self.learned(rows, cols, h, w)
        places = torch.stack([rows, cols], -1)
        rot = (places[:, :, None].float() * v.rotary_pos_emb.inv_freq).reshape(places.shape[0], -1)
        order, mask, n = None, None, x.shape[0]
        if self.kind == "qwen2_5_vl":
            order, mask = self.windows(h, w)
            x = x.reshape(n // 4, 4, -1)[order].reshape(n, -1)
            rot = rot.reshape(n // 4, 4, -1)[order].reshape(n, -1)
        emb = torch.cat((rot, rot), -1)
        cos, sin = emb.cos(), emb.sin()
        deep = []
        for i, block in enumerate(v.blocks):
            local = mask if order is not None and i not in self.config.fullatt_block_indexes else None
            x = x + self.attend(block, block.norm1(x), cos, sin, local)
            x = x + block.mlp(block.norm2(x))
            if self.kind == "qwen3_vl" and i in v.deepstack_visual_indexes:
                deep.append(v.deepstack_merger_list[v.deepstack_visual_indexes.index(i)](x))
        y = self.merged(x)
        if order is not None:
            y = y[torch.argsort(order)]
        return (y, torch.stack(deep)) if deep else y


def export_square(model, edge, path):
    axes = {"pixel_values": {0: "batch_size"}, "image_features": {0: "batch_size"}}
    torch.onnx.export(Square(model), (torch.randn(2, 3, edge, edge),), path, input_names=["pixel_values"],
                      output_names=["image_features"], dynamic_axes=axes, **OPTIONS)


def export_tower(tower, values, grid_name, path):
    outputs = ["image_features"] + (["deepstack_features"] if tower.kind == "qwen3_vl" else [])
    axes = {"pixel_values": {0: "patches"}, grid_name: {0: "images"}, "image_features": {0: "rows"}, "deepstack_features": {1: "rows"}}
    torch.onnx.export(tower, (torch.randn(24, values), torch.tensor([[1, 4, 6]])), path, input_names=["pixel_values", grid_name],
                      output_names=outputs, dynamic_axes={k: v for k, v in axes.items() if k in outputs + ["pixel_values", grid_name]}, **OPTIONS)
