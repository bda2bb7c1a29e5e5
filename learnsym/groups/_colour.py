"""Colour: brightness and contrast of the channels of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.groups._group import Generator
from learnsym.groups._matrix_group import Formulas, MatrixGroup


def Colour() -> MatrixGroup:
    """Brightness and contrast: `[[c, b], [0, 1]]` takes each value `v` of a channel, counted from
    mid-grey, to `c v + b`.

    Coordinates are brightness `b` (in units of intensity) and the logarithm of contrast `c`.

    Example:
        >>> ls.groups.Colour().exp(torch.tensor([0.5, 0.0]))
        tensor([[1.0000, 0.5000],
                [0.0000, 1.0000]])
    """
    return MatrixGroup(
        name="colour",
        space="channels",
        generators=(
            Generator(name="brightness", unit="1", cap=0.5),
            Generator(name="contrast", unit="log", cap=math.log(2)),
        ),
        algebra=torch.tensor([[[0, 1], [0, 0]], [[1, 0], [0, 0]]], dtype=torch.float64),
        components=torch.eye(2, dtype=torch.float64)[None],
        is_compact=False,
        formulas=Colours(),
    )


@dataclass(frozen=True)
class Colours(Formulas):
    """The affine maps of a line that keep its orientation."""

    def inverse(self, g: Tensor) -> Tensor:
        """`(c, b) -> (1/c, -b/c)`."""
        c, b = g[..., 0, 0], g[..., 0, 1]
        return _map(1 / c, -b / c)

    def exp(self, a: Tensor) -> Tensor:
        """`c = e^k`, `b = φ(k) v` with `φ(k) = (e^k - 1) / k`."""
        v, k = a.unbind(-1)
        return _map(k.exp(), _phi(k) * v)

    def log(self, g: Tensor) -> Tensor:
        """`k = log c`, `v = b / φ(k)`."""
        k = g[..., 0, 0].log()
        return torch.stack([g[..., 0, 1] / _phi(k), k], dim=-1)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Positive contrast, last row (0, 1)."""
        return (g[..., 0, 0] > 0) & (g[..., 1, 0].abs() <= atol) & ((g[..., 1, 1] - 1).abs() <= atol)


def _map(c: Tensor, b: Tensor) -> Tensor:
    return torch.stack([c, b, torch.zeros_like(c), torch.ones_like(c)], dim=-1).unflatten(-1, (2, 2))


def _phi(k: Tensor) -> Tensor:
    # φ(k) = e^{k/2} sinh(k/2) / (k/2); the last factor has a series without odd terms.
    half = 0.5 * k
    near = half.abs() <= 0.5
    safe = torch.where(near, torch.ones_like(half), half)
    x = torch.where(near, half, torch.zeros_like(half)) ** 2
    series = torch.ones_like(x)
    for term in range(7, 0, -1):
        series = 1 + series * x / (2 * term * (2 * term + 1))
    return half.exp() * torch.where(near, series, safe.sinh() / safe)
