"""The optimiser of a model with a learned symmetry: two groups of parameters, one schedule."""

from __future__ import annotations

import math

import torch
from torch import nn

from learnsym.learners import over_elements
from learnsym.training.config import OptimiserConfig


def make_optimiser(module: nn.Module, config: OptimiserConfig) -> torch.optim.Optimizer:
    """An optimiser with the groups `network` and `symmetry`; the latter has a rate of its own and no weight decay.

    It holds what modules own that are `over_elements`: they say how likely group elements are, at the input or in a
    layer, or hold such a law in bounds.

    Raises:
        ValueError: when nothing is trainable.
    """
    symmetry = over_elements(module)
    trainable = [p for p in module.parameters() if p.requires_grad]
    if not trainable:
        raise ValueError("model: no parameter requires a gradient; call requires_grad_() on those to be trained")
    groups = [
        {"name": "network", "params": [p for p in trainable if id(p) not in symmetry], "lr": config.lr},
        {"name": "symmetry", "params": [p for p in trainable if id(p) in symmetry], "lr": config.symmetry_lr},
    ]
    groups[0]["weight_decay"], groups[1]["weight_decay"] = config.weight_decay, 0.0
    groups = [group for group in groups if group["params"]]
    if config.name == "sgd":
        return torch.optim.SGD(groups, momentum=config.momentum)
    return torch.optim.AdamW(groups, betas=(config.momentum, 0.999))


def rate_factor(config: OptimiserConfig, step: int, steps: int) -> float:
    """What the learning rates are multiplied with at `step` (0, 1, ...) of `steps`."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.schedule == "constant":
        return 1.0
    progress = (step - config.warmup) / max(1, steps - config.warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def set_rates(optimiser: torch.optim.Optimizer, config: OptimiserConfig, step: int, steps: int) -> None:
    """Set the learning rate of each group for one step."""
    factor = rate_factor(config, step, steps)
    for group in optimiser.param_groups:
        group["lr"] = factor * (config.symmetry_lr if group["name"] == "symmetry" else config.lr)
