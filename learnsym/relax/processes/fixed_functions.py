"""Fixed functions of location: extra inputs that tell places apart inside of a box, and are exactly 0 outside of it.

Legend of axes: `B` tasks, `P` locations, `d` dimension of space, `K` functions.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FixedFunctions(nn.Module):
    """`K` learned functions of where something is, within a box of space.

        t(x) = φ(x) if low < x_i < high for every axis i, else 0

    `φ` is a perceptron with one hidden layer, of the coordinates in units of half the box. The border belongs to the
    outside. Where no training location was, nothing was learned, and a network that gets `t` is the exact one there.

    Reference: Ashman, Diaconu, Weller, Bruinsma, Turner, "Approximately equivariant neural processes" (2024), arXiv
    2406.13488.

    Args:
        dim: dimension `d` of space.
        count: number `K`.
        low, high: ends of the box along each axis; that of the locations of the training contexts.
        hidden: width of the perceptron.

    Raises:
        ValueError: for counts below 1, or a box that is empty or not finite.

    Example:
        >>> t = ls.relax.processes.FixedFunctions(1, count=4, low=-2.0, high=2.0)
        >>> values = t(torch.tensor([[[0.0], [2.0], [9.0]]]))
        >>> values.shape, values[0, 1:].abs().max().item()
        (torch.Size([1, 3, 4]), 0.0)
    """

    def __init__(self, dim: int, count: int, low: float, high: float, hidden: int = 32) -> None:
        super().__init__()
        for name, value in (("dim", dim), ("count", count), ("hidden", hidden)):
            if value < 1:
                raise ValueError(f"{name}: got {value}, must be >= 1")
        if not -float("inf") < low < high < float("inf"):
            raise ValueError(f"low, high: got {low}, {high}, must be finite and the first one smaller; -2, 2 is a box")
        self.dim, self.count, self.low, self.high = dim, count, float(low), float(high)
        self.phi = nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, count))

    def forward(self, x: Float[Tensor, "B P d"]) -> Float[Tensor, "B P K"]:
        """`t(x)` at each location."""
        inside = ((x > self.low) & (x < self.high)).all(-1, keepdim=True)
        # far away φ may be large: where, and not a product, is 0 exactly
        return torch.where(inside, self.phi((2 * x - self.low - self.high) / (self.high - self.low)), 0.0)

    def extra_repr(self) -> str:
        """Number and box."""
        return f"count={self.count}, low={self.low:g}, high={self.high:g}"
