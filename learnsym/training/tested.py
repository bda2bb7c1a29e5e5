"""Under which symmetry a run is tested, and on what."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from learnsym.actions import Image, Invariant
from learnsym.augment import equivariant
from learnsym.data import Signature
from learnsym.relax import group_named
from learnsym.symmetry import Symmetry, symmetry_by_name
from learnsym.training.config import UNIFORM_IN_SPACE, RunConfig

BATCH = 64
"""Examples at a time: with their test copies they stay in the cache of a CPU."""


def tested_symmetry(config: RunConfig, signature: Signature) -> Symmetry:
    """The symmetry of the exact twin, or the first one that is penalised; of clouds that of the augmented twin."""
    moved = signature.on_input is not None and config.augment.symmetry in UNIFORM_IN_SPACE
    if moved and not config.is_penalised:
        return signature.symmetry(config.augment.symmetry)
    if config.is_penalised or signature.on_input is not None:
        return signature.symmetry(config.penalty.symmetries[0])
    if config.is_relaxed:
        return Symmetry(group_named(config.relax.group), Image(), Invariant())
    symmetry = symmetry_by_name(config.augment.exact)
    return equivariant(symmetry) if config.augment.output == "equivariant" else symmetry


class Probabilities(nn.Module):
    """Class probabilities of a model: one scale for the logits and log-probabilities of different twins."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.model(part).softmax(1) for part in x.split(BATCH)])
