"""Groups of space: rotations, reflections and rigid motions as 3 x 3 or homogeneous 4 x 4 matrices.

Coordinates of a rotation are its axis times its angle `θ`; `K` is the matrix of the cross product with them, `x = θ²`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from learnsym._constant import constant
from learnsym.groups._group import Generator
from learnsym.groups._matrix_group import Formulas, MatrixGroup
from learnsym.groups._planar import is_orthogonal
from learnsym.groups._stumpff import stumpff
from learnsym.groups._windings import circular, floored_root, wound

AXES = ("x", "y", "z")
TURNS = tuple(Generator(name=f"rotation_{axis}", unit="degree", per_unit=math.pi / 180, cap=math.pi) for axis in AXES)
SHIFTS = tuple(Generator(name=f"translation_{axis}", cap=1.0) for axis in AXES)
_CROSS = torch.tensor(
    [
        [[0, 0, 0], [0, 0, -1], [0, 1, 0]],
        [[0, 0, 1], [0, 0, 0], [-1, 0, 0]],
        [[0, -1, 0], [1, 0, 0], [0, 0, 0]],
    ],
    dtype=torch.float64,
)


def SO3() -> MatrixGroup:
    """Rotations of space, 3 x 3; coordinates are the axis times the angle.

    Example:
        >>> group = ls.groups.SO3()
        >>> bool(group.contains(group.haar(5)).all())
        True
    """
    return _space("SO(3)", TURNS, _CROSS, SpaceRotations(inversion=False))


def O3() -> MatrixGroup:
    """Rotations and reflections of space, 3 x 3; the second component holds the inversion `-I`."""
    return _space("O(3)", TURNS, _CROSS, SpaceRotations(inversion=True))


def AxialSO2(axis: int | Sequence[float | int] = 2) -> MatrixGroup:
    """Rotations of space about one axis, 3 x 3: 0, 1, 2 for x, y, z, or any direction as three numbers.

    Raises:
        ValueError: when there is no such axis.

    Example:
        >>> group = ls.groups.AxialSO2((1, 1, 1))
        >>> group.exp(torch.tensor([2 * torch.pi / 3], dtype=torch.float64)).round().long()  # x to y to z
        tensor([[0, 0, 1],
                [1, 0, 0],
                [0, 1, 0]])
    """
    if isinstance(axis, int):
        if isinstance(axis, bool) or axis not in (0, 1, 2):
            raise ValueError(f"axis: got {axis}, must be 0, 1 or 2 for x, y or z")
        name = f"SO(2) about {AXES[axis]}"
        return _space(name, TURNS[axis : axis + 1], _CROSS[axis : axis + 1], AxialRotations(_direction(axis)))
    given = tuple(float(value) for value in axis)
    length = math.hypot(*given)
    if len(given) != 3 or not (math.isfinite(length) and length > 0):
        raise ValueError(f"axis: got {tuple(axis)}, must be three finite numbers, not all 0; such as (1, 1, 1)")
    n = (given[0] / length, given[1] / length, given[2] / length)
    name = f"SO(2) about ({', '.join(f'{value:.3g}' for value in n)})"
    algebra = _cross_matrix(torch.tensor(n, dtype=torch.float64))[None]
    return _space(name, (replace(TURNS[0], name="rotation"),), algebra, AxialRotations(n))


def SE3() -> MatrixGroup:
    """Rigid motions of space without reflections, homogeneous 4 x 4; translations first."""
    return _space("SE(3)", SHIFTS + TURNS, _MOTIONS, Motions(inversion=False), compact=False)


def E3() -> MatrixGroup:
    """Rigid motions of space with reflections, homogeneous 4 x 4; translations first."""
    return _space("E(3)", SHIFTS + TURNS, _MOTIONS, Motions(inversion=True), compact=False)


def _direction(axis: int) -> tuple[float, float, float]:
    return (float(axis == 0), float(axis == 1), float(axis == 2))


def _motions() -> Tensor:
    algebra = torch.zeros(6, 4, 4, dtype=torch.float64)
    algebra[[0, 1, 2], [0, 1, 2], 3] = 1.0
    algebra[3:, :3, :3] = _CROSS
    return algebra


_MOTIONS = _motions()


def _space(
    name: str, generators: tuple[Generator, ...], algebra: Tensor, formulas: Formulas, compact: bool = True
) -> MatrixGroup:
    eye = torch.eye(algebra.shape[-1], dtype=torch.float64)
    inverted = torch.block_diag(-torch.eye(3, dtype=torch.float64), eye[3:, 3:])
    inversion = isinstance(formulas, SpaceRotations | Motions) and formulas.inversion
    return MatrixGroup(
        name=name,
        space="space",
        generators=generators,
        algebra=algebra,
        components=torch.stack([eye, inverted]) if inversion else eye[None],
        is_compact=compact,
        formulas=formulas,
    )


@dataclass(frozen=True)
class SpaceRotations(Formulas):
    """SO(3) and O(3)."""

    inversion: bool

    def inverse(self, g: Tensor) -> Tensor:
        """The transpose."""
        return g.mT

    def exp(self, a: Tensor) -> Tensor:
        """`I + c₁ K + c₂ K²` (Rodrigues)."""
        x = (a * a).sum(-1)
        _, c1, c2, _ = stumpff(x)
        return _quadratic(torch.ones_like(x), c1, c2, a)

    def log(self, g: Tensor) -> Tensor:
        """Axis times angle, the angle in [0, π], through the quaternion."""
        return _log_quaternion(_quaternion(g))

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """The same axis with the angle `θ + 2πk`; a shell is larger by `(θ_k / θ)²`."""
        wound_a, _, log_ratio = wound(a, floored_root((a * a).sum(-1)), turns)
        return wound_a, 2 * log_ratio

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """A uniform unit quaternion and, with inversion, a fair coin."""
        q = torch.randn((*shape, 4), dtype=like.dtype, device=like.device, generator=generator)
        g = self.exp(_log_quaternion(q / q.norm(dim=-1, keepdim=True)))
        if not self.inversion:
            return g
        coin = torch.rand(shape, device=like.device, generator=generator) < 0.5
        return torch.where(coin[..., None, None], -g, g)

    def log_haar(self, a: Tensor) -> Tensor:
        """`log (1 - cos θ) / (4π² θ²)`: the ball of radius π has the volume 8π² under `2 (1 - cos θ) / θ² da`."""
        return (stumpff((a * a).sum(-1))[2] / (4 * math.pi**2)).log()

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Orthogonal, and without inversion of positive determinant."""
        return is_orthogonal(g, atol) & ((_det3(g) > 0) | self.inversion)

    def component(self, g: Tensor) -> Tensor:
        """1 with an inversion."""
        return (_det3(g) < 0).long()


@dataclass(frozen=True)
class AxialRotations(Formulas):
    """SO(2) about the unit vector `n`."""

    n: tuple[float, float, float]

    def inverse(self, g: Tensor) -> Tensor:
        """The transpose."""
        return g.mT

    def exp(self, a: Tensor) -> Tensor:
        """`n nᵀ + cos (I - n nᵀ) + sin K`."""
        cos, sin, n = a[..., 0, None, None].cos(), a[..., 0, None, None].sin(), self._axis(a)
        along = n[:, None] * n
        return along + cos * (torch.eye(3, dtype=a.dtype, device=a.device) - along) + sin * _cross_matrix(n)

    def log(self, g: Tensor) -> Tensor:
        """The angle, in (-π, π], of `sin θ = n · vee(g)` and `cos θ = (tr g - 1) / 2`."""
        n = self._axis(g)
        sin = (g * _cross_matrix(n)).sum((-2, -1)) / 2
        return torch.atan2(sin, (g.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2).unsqueeze(-1)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """The angle plus whole turns."""
        return circular(a, turns)

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """A uniform angle."""
        u = torch.rand((*shape, 1), dtype=like.dtype, device=like.device, generator=generator)
        return self.exp(math.pi * (2 * u - 1))

    def log_haar(self, a: Tensor) -> Tensor:
        """`-log 2π`."""
        return torch.full_like(a[..., 0], -math.log(2 * math.pi))

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """A rotation that keeps the axis."""
        n = self._axis(g)
        keeps_axis = ((g @ n - n).abs() <= atol).all(-1)
        return is_orthogonal(g, atol) & (_det3(g) > 0) & keeps_axis

    def _axis(self, like: Tensor) -> Tensor:
        return constant(torch.tensor(self.n, dtype=torch.float64), like)


@dataclass(frozen=True)
class Motions(Formulas):
    """SE(3) and E(3)."""

    inversion: bool

    @property
    def rotations(self) -> SpaceRotations:
        """Formulas of the linear part."""
        return SpaceRotations(self.inversion)

    def inverse(self, g: Tensor) -> Tensor:
        """`(R, t) -> (Rᵀ, -Rᵀ t)`."""
        transposed = g[..., :3, :3].mT
        return _homogeneous(transposed, -(transposed @ g[..., :3, 3:]))

    def exp(self, a: Tensor) -> Tensor:
        """Rotation `I + c₁ K + c₂ K²`, translation `(I + c₂ K + c₃ K²) v`."""
        v, turn = a[..., :3], a[..., 3:]
        x = (turn * turn).sum(-1)
        _, c1, c2, c3 = stumpff(x)
        one = torch.ones_like(x)
        return _homogeneous(_quadratic(one, c1, c2, turn), _quadratic(one, c2, c3, turn) @ v.unsqueeze(-1))

    def log(self, g: Tensor) -> Tensor:
        """The rotation first, then `v = (I - K/2 + κ K²) t` with `κ = (1 - c₁ / 2c₂) / θ²`."""
        turn = self.rotations.log(g[..., :3, :3])
        x = (turn * turn).sum(-1)
        _, _, c2, c3 = stumpff(x)
        # (c₂ - c₁/2) / x = (c₃ - 2 c₄) / 2 with 1/2 - c₂ = x c₄, without the cancellation at 0
        kappa = (c3 - 2 * _c4(x, c2)) / (2 * c2)
        v = _quadratic(torch.ones_like(x), torch.full_like(x, -0.5), kappa, turn) @ g[..., :3, 3:]
        return torch.cat([v.squeeze(-1), turn], dim=-1)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """The angle `θ_k = θ + 2πk`; `v` across the axis grows by `r = θ_k / θ`, along it not; volume by `r⁴`."""
        v, turn = a[..., None, :3], a[..., 3:]
        angle = floored_root((turn * turn).sum(-1))
        turn_k, angles, log_ratio = wound(turn, angle, turns)
        n = turn[..., None, :] / angle[..., None, None]
        along = (v * n).sum(-1, keepdim=True) * n
        v_k = along + (angles / angle[..., None]).unsqueeze(-1) * (v - along)
        return torch.cat([v_k, turn_k], dim=-1), 4 * log_ratio

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """An orthogonal linear part and the last row (0, 0, 0, 1)."""
        last = torch.eye(4, dtype=g.dtype, device=g.device)[3]
        return self.rotations.contains(g[..., :3, :3], atol) & ((g[..., 3, :] - last).abs() <= atol).all(-1)

    def component(self, g: Tensor) -> Tensor:
        """1 with an inversion."""
        return self.rotations.component(g[..., :3, :3])


def _c4(x: Tensor, c2: Tensor) -> Tensor:
    near = x <= 1.0
    inner = torch.where(near, x, torch.zeros_like(x))
    series = torch.zeros_like(x)
    for j in range(8, -1, -1):
        series = 1 / math.factorial(4 + 2 * j) - inner * series
    return torch.where(near, series, (0.5 - c2) / torch.where(near, torch.ones_like(x), x))


def _quadratic(c0: Tensor, c1: Tensor, c2: Tensor, a: Tensor) -> Tensor:
    """`c₀ I + c₁ K + c₂ K²`, with `K² = a aᵀ - |a|² I`."""
    x, y, z = a.unbind(-1)
    diagonal = c0 - c2 * (x * x + y * y + z * z)
    rows = (
        (diagonal + c2 * x * x, c2 * x * y - c1 * z, c2 * x * z + c1 * y),
        (c2 * x * y + c1 * z, diagonal + c2 * y * y, c2 * y * z - c1 * x),
        (c2 * x * z - c1 * y, c2 * y * z + c1 * x, diagonal + c2 * z * z),
    )
    return torch.stack([entry for row in rows for entry in row], dim=-1).unflatten(-1, (3, 3))


def _cross_matrix(n: Tensor) -> Tensor:
    return torch.einsum("i,ijk->jk", n, constant(_CROSS, n))


def _homogeneous(linear: Tensor, shift: Tensor) -> Tensor:
    top = torch.cat([linear, shift], dim=-1)
    last = torch.cat([torch.zeros_like(top[..., :1, :3]), torch.ones_like(top[..., :1, 3:])], dim=-1)
    return torch.cat([top, last], dim=-2)


def _det3(g: Tensor) -> Tensor:
    return (torch.linalg.cross(g[..., 0, :], g[..., 1, :]) * g[..., 2, :]).sum(-1)


def _quaternion(g: Tensor) -> Tensor:
    """Unit quaternion `(w, x, y, z)`, `w >= 0`: the normalised column of `4 q qᵀ` with the largest diagonal entry."""
    m = g.unbind(-2)
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (row.unbind(-1) for row in m)
    columns = torch.stack(
        [
            torch.stack([1 + xx + yy + zz, zy - yz, xz - zx, yx - xy], -1),
            torch.stack([zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx], -1),
            torch.stack([xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy], -1),
            torch.stack([yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz], -1),
        ],
        -2,
    )
    best = columns.diagonal(dim1=-2, dim2=-1).argmax(-1)
    index = best[..., None, None].expand(*best.shape, 1, 4)
    q = columns.gather(-2, index).squeeze(-2)
    q = q / q.norm(dim=-1, keepdim=True)
    return torch.where(q[..., :1] < 0, -q, q)


def _log_quaternion(q: Tensor) -> Tensor:
    """Axis times angle of a unit quaternion: `θ = 2 atan2(|v|, w)`."""
    q = torch.where(q[..., :1] < 0, -q, q)
    w, v = q[..., :1], q[..., 1:]
    square = (v * v).sum(-1, keepdim=True)
    near = square <= 1e-4
    safe = torch.where(near, torch.ones_like(square), square).sqrt()
    inner = torch.where(near, square, torch.zeros_like(square))
    # 2 asin(r) / r in r² = |v|²; |v| itself has no gradient at 0
    series = 2 + inner * (1 / 3 + inner * (3 / 20 + inner * (5 / 56 + inner * (35 / 576))))
    return v * torch.where(near, series, 2 * torch.atan2(safe, w) / safe)
