"""Scales and shifts of normalisations.

Legend of axes: `R` rows, `n` scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call


@dataclass(frozen=True)
class NormalisationActing:
    """`y = w ⊙ x' + b` of a normalised `x'`: a diagonal curvature, each scale and shift a group of its own.

    `∂y / ∂w_i` is summed over the positions of an example before it is squared, so that nothing but couplings between
    entries is left out.
    """

    layer: Any

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return {name: (name,) for name, _ in self.layer.named_parameters()}

    def taken(self, x: Tensor) -> dict[str, Tensor]:
        return {}

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R n 1 1"]]:
        found = {"weight": self._over_positions(g * self._normalised(x)), "bias": self._over_positions(g)}
        return {name: found[name][..., None, None] for name in self.blocks}

    def _normalised(self, x: Tensor) -> Tensor:
        """The output for scales 1 and shifts 0."""
        neutral = {"weight": torch.ones_like, "bias": torch.zeros_like}
        return functional_call(self.layer, {name: neutral[name](p) for name, p in self.layer.named_parameters()}, x)

    def _over_positions(self, values: Tensor) -> Float[Tensor, "R n"]:
        if isinstance(self.layer, nn.LayerNorm):
            entries = self.layer.weight.numel()
            return values.reshape(len(values), -1, entries).sum(1)
        return values.flatten(2).sum(2) if values.ndim > 2 else values
