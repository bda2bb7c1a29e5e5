"""Translations of the line."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.groups._group import Generator
from learnsym.groups._matrix_group import Formulas, MatrixGroup


def Translation1() -> MatrixGroup:
    """Translations of the line, homogeneous 2 x 2.

    Example:
        >>> ls.groups.Translation1().exp(torch.tensor([0.5]))
        tensor([[1.0000, 0.5000],
                [0.0000, 1.0000]])
    """
    return MatrixGroup(
        name="translation1d",
        space="line",
        generators=(Generator(name="translation_x", unit="length", cap=1.0),),
        algebra=torch.tensor([[[0, 1], [0, 0]]], dtype=torch.float64),
        components=torch.eye(2, dtype=torch.float64)[None],
        is_compact=False,
        formulas=Shifts(),
    )


@dataclass(frozen=True)
class Shifts(Formulas):
    """`x -> x + b`."""

    def inverse(self, g: Tensor) -> Tensor:
        """`b -> -b`."""
        return _shift(-g[..., 0, 1])

    def exp(self, a: Tensor) -> Tensor:
        """`b = a`."""
        return _shift(a[..., 0])

    def log(self, g: Tensor) -> Tensor:
        """`a = b`."""
        return g[..., 0, 1].unsqueeze(-1)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Ones on the diagonal and a 0 below."""
        return (_shift(g[..., 0, 1]) - g).abs().amax((-2, -1)) <= atol


def _shift(b: Tensor) -> Tensor:
    one, zero = torch.ones_like(b), torch.zeros_like(b)
    return torch.stack([one, b, zero, one], -1).unflatten(-1, (2, 2))
