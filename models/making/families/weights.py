"""Weights that can fail a test: large enough that images, positions and order change the answer."""
import torch


def scramble(model, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn_like(parameter) * (1.6 / parameter.shape[-1] ** 0.5))
            else:
                parameter.add_(torch.randn_like(parameter) * 0.1)
        if model.config.model_type in ("gemma3", "paligemma"):
            # Its embeddings are scaled up: as large as others, they would outweigh all that layers add.
            model.model.language_model.embed_tokens.weight.mul_(0.1)
    return model.requires_grad_(False).eval()
