"""The Lorentz group: boosts and rotations of space-time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.groups._custom import Exponentials
from learnsym.groups._group import Generator
from learnsym.groups._matrix_group import Formulas, MatrixGroup
from learnsym.groups._spatial import AXES, SO3, TURNS
from learnsym.groups._stumpff import constant

_METRIC = torch.diag(torch.tensor([-1.0, 1.0, 1.0, 1.0], dtype=torch.float64))


def Lorentz() -> MatrixGroup:
    """The proper orthochronous Lorentz group SO+(1, 3), 4 x 4 on `(t, x, y, z)` with the speed of light 1.

    Coordinates are the rapidities of three boosts, then the three rotations of `SO3`.

    Example:
        >>> group = ls.groups.Lorentz()
        >>> g = group.exp(torch.tensor([0.5, 0.0, 0.0, 0.0, 0.0, 0.3]))
        >>> bool(group.contains(g))
        True
    """
    algebra = _algebra()
    return MatrixGroup(
        name="SO+(1,3)",
        space="spacetime",
        generators=(*(Generator(name=f"boost_{axis}", unit="rapidity", cap=1.0) for axis in AXES), *TURNS),
        algebra=algebra,
        components=torch.eye(4, dtype=torch.float64)[None],
        is_compact=False,
        formulas=LorentzTransformations(Exponentials(algebra, torch.linalg.pinv(algebra.flatten(1)))),
    )


def _algebra() -> Tensor:
    algebra = torch.zeros(6, 4, 4, dtype=torch.float64)
    for i in range(3):
        algebra[i, 0, i + 1] = algebra[i, i + 1, 0] = 1.0
    algebra[3:, 1:, 1:] = SO3().algebra
    return algebra


@dataclass(frozen=True)
class LorentzTransformations(Formulas):
    """Matrices that keep the metric `η = diag(-1, 1, 1, 1)`."""

    exponentials: Exponentials

    def inverse(self, g: Tensor) -> Tensor:
        """`η gᵀ η`."""
        metric = constant(_METRIC, g)
        return metric @ g.mT @ metric

    def exp(self, a: Tensor) -> Tensor:
        """The matrix exponential."""
        return self.exponentials.exp(a)

    def log(self, g: Tensor) -> Tensor:
        """The matrix logarithm."""
        return self.exponentials.log(g)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """`gᵀ η g = η`, positive determinant, direction of time kept."""
        metric = constant(_METRIC, g)
        # entries grow with the rapidity, and rounding with their square
        size = g.abs().amax((-2, -1)).clamp_min(1.0) ** 2
        preserves = ((g.mT @ metric @ g - metric).abs().amax((-2, -1)) / size) <= atol
        return preserves & (torch.linalg.det(g) > 0) & (g[..., 0, 0] > 0)
