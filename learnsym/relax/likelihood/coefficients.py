"""Fourier coefficients as one learned vector."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Point(nn.Module):
    """Coefficients that are simply learned; zero at the start."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(count))

    def forward(self) -> Float[Tensor, "D"]:
        """The coefficients."""
        return self.values

    def assign(self, values: Float[Tensor, "D"]) -> None:
        """Take these coefficients."""
        with torch.no_grad():
            self.values.copy_(values)

    def draws(self, count: int) -> Float[Tensor, "S D"] | None:
        """None: a point has no spread."""
        return None
