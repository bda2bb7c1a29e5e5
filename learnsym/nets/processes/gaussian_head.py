"""The end of a neural process: a mean and a variance of each value.

Legend of axes: `B` tasks, `T` targets, `W` features, `C` values.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

LEAST = 0.01
"""Smallest standard deviation, so that no density is infinite."""


class GaussianHead(nn.Module):
    """A perceptron to `C` means and `C` logarithms of variances: `σ = 0.01 + softplus(s)`.

    Example:
        >>> from learnsym.nets.processes.gaussian_head import GaussianHead
        >>> GaussianHead(8, 1)(torch.rand(2, 5, 8)).shape
        torch.Size([2, 5, 2])
    """

    def __init__(self, width: int, values: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2 * values))

    def forward(self, h: Float[Tensor, "B T W"]) -> Float[Tensor, "B T K"]:
        mean, s = self.net(h).chunk(2, -1)
        return torch.cat([mean, 2 * (LEAST + F.softplus(s)).log()], -1)
