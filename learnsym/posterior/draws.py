"""Draws: what every way of inference returns."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.posterior.diagnostics import Diagnostics


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Weighted draws of degrees as fractions of their caps, and how they came about."""

    s: Float[Tensor, "R A"]
    weights: Float[Tensor, "R"]
    """Of sum 1."""
    diagnostics: Diagnostics
