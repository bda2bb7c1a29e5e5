"""The density of readings on a circle as it is defined: a kernel for each pair of a place and a reading."""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.measure.pose.read_out import around


def density(centre: Tensor, at: Tensor, bandwidth: float) -> Tensor:
    """`1/N Σ_i exp(-(a - c_i)² / 2 h²)`, with differences of angles on the circle."""
    return torch.exp(-0.5 * (around(at[:, None] - centre) / bandwidth).square()).mean(1)
