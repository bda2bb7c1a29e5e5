"""The Lorentz group: boosts and rotations of space-time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym._constant import constant
from learnsym.groups._biquaternion import biquaternion, log_biquaternion
from learnsym.groups._group import Generator
from learnsym.groups._matrix_group import Formulas, MatrixGroup
from learnsym.groups._spatial import AXES, SO3, TURNS
from learnsym.groups._windings import wound

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
    return MatrixGroup(
        name="SO+(1,3)",
        space="spacetime",
        generators=(*(Generator(name=f"boost_{axis}", unit="rapidity", cap=1.0) for axis in AXES), *TURNS),
        algebra=_ALGEBRA,
        components=torch.eye(4, dtype=torch.float64)[None],
        is_compact=False,
        formulas=LorentzTransformations(),
    )


def _algebra() -> Tensor:
    algebra = torch.zeros(6, 4, 4, dtype=torch.float64)
    for i in range(3):
        algebra[i, 0, i + 1] = algebra[i, i + 1, 0] = 1.0
    algebra[3:, 1:, 1:] = SO3().algebra
    return algebra


_ALGEBRA = _algebra()


@dataclass(frozen=True)
class LorentzTransformations(Formulas):
    """Matrices that keep the metric `η = diag(-1, 1, 1, 1)`."""

    def inverse(self, g: Tensor) -> Tensor:
        """`η gᵀ η`."""
        metric = constant(_METRIC, g)
        return metric @ g.mT @ metric

    def exp(self, a: Tensor) -> Tensor:
        """The matrix exponential."""
        return torch.linalg.matrix_exp((a @ constant(_ALGEBRA, a).flatten(1)).unflatten(-1, (4, 4)))

    def log(self, g: Tensor) -> Tensor:
        """Boosts and rotations of the complex quaternion; rotations along a boost no more than half a turn."""
        w = log_biquaternion(biquaternion(g))
        return torch.cat([w.imag, w.real], -1)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """`w (1 + 2πk/ζ)` of the complex vector `w = rotation + i boost` and `ζ² = w·w`; volume grows by `|ζ_k/ζ|⁴`."""
        w = torch.complex(a[..., 3:], a[..., :3])
        square = (w * w).sum(-1)
        small = square.abs() <= torch.finfo(a.dtype).eps
        zeta = torch.where(small, torch.full_like(square, torch.finfo(a.dtype).eps), square).sqrt()
        wound_w, _, log_ratio = wound(w, zeta, turns)
        return torch.cat([wound_w.imag, wound_w.real], -1), 4 * log_ratio

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """`gᵀ η g = η`, positive determinant, direction of time kept."""
        metric = constant(_METRIC, g)
        # entries grow with the rapidity, and rounding with their square
        size = g.abs().amax((-2, -1)).clamp_min(1.0) ** 2
        preserves = ((g.mT @ metric @ g - metric).abs().amax((-2, -1)) / size) <= atol
        return preserves & (torch.linalg.det(g) > 0) & (g[..., 0, 0] > 0)
