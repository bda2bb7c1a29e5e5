"""Groups of the plane: rotations and reflections, 2 x 2; subgroups of the affine group, homogeneous 3 x 3.

Positive rotations turn x (right) to y (up). Affine coordinates are translation_x, translation_y, rotation, scale,
stretch, shear; the linear part of the algebra is `M = s I + N` with `N` traceless and `N² = δ I`.

Translations count in halves of the shortest side of an image, since rotations need one length along both axes, and are
reported in whole ones: 0.25 moves an image of 8 x 12 pixels by two, to the right or upwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._constant import constant
from learnsym._eager import may_look
from learnsym.groups._group import Generator
from learnsym.groups._matrix_group import Formulas, MatrixGroup
from learnsym.groups._stumpff import cosine_and_sine, powers
from learnsym.groups._windings import circular, floored_root, full_turns, wound

ROTATION = Generator(name="rotation", unit="degree", per_unit=math.pi / 180, cap=math.pi)
FLIP = torch.diag(torch.tensor([-1.0, 1.0], dtype=torch.float64))
"""The reflection of a group with reflections: left and right change places."""


def SO2() -> MatrixGroup:
    """Rotations of the plane, 2 x 2.

    Example:
        >>> group = ls.groups.SO2()
        >>> group.log(group.exp(torch.tensor([0.5])))
        tensor([0.5000])
    """
    return _rotations("SO(2)", torch.eye(2, dtype=torch.float64)[None])


def O2() -> MatrixGroup:
    """Rotations and reflections of the plane, 2 x 2; the second component holds `x -> -x`."""
    return _rotations("O(2)", torch.stack([torch.eye(2, dtype=torch.float64), FLIP]))


def Translation2() -> MatrixGroup:
    """Translations of the plane."""
    return _affine("translation2d", (0, 1))


def Scale2() -> MatrixGroup:
    """Isotropic scalings of the plane about the origin."""
    return _affine("scale2d", (3,))


def SE2() -> MatrixGroup:
    """Rigid motions of the plane without reflections."""
    return _affine("SE(2)", (0, 1, 2))


def Similarity2() -> MatrixGroup:
    """Rigid motions of the plane and isotropic scalings."""
    return _affine("similarity2d", (0, 1, 2, 3))


def Affine2() -> MatrixGroup:
    """Affine maps of the plane that keep the orientation: translations, rotation, scale, stretch, shear.

    The exponential does not reach every element: `log` is nan when the linear part has two different negative
    eigenvalues.

    Example:
        >>> ls.groups.Affine2().exp(torch.tensor([0.5, 0.0, 0.0, 0.0, 0.0, 0.0]))
        tensor([[1.0000, 0.0000, 0.5000],
                [0.0000, 1.0000, 0.0000],
                [0.0000, 0.0000, 1.0000]])
    """
    return _affine("affine2d", (0, 1, 2, 3, 4, 5))


def _rotations(name: str, components: Tensor) -> MatrixGroup:
    quarter = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]], dtype=torch.float64)
    return MatrixGroup(
        name=name,
        space="plane",
        generators=(ROTATION,),
        algebra=quarter,
        components=components,
        is_compact=True,
        formulas=Rotations(reflections=len(components) > 1),
    )


def _affine(name: str, slots: tuple[int, ...]) -> MatrixGroup:
    return MatrixGroup(
        name=name,
        space="plane",
        generators=tuple(AFFINE_GENERATORS[slot] for slot in slots),
        algebra=AFFINE_ALGEBRA[list(slots)],
        components=torch.eye(3, dtype=torch.float64)[None],
        is_compact=False,
        formulas=AffineSubgroup(slots),
    )


AFFINE_GENERATORS = (
    Generator(name="translation_x", unit="shortest side", per_unit=2.0, cap=1.0),
    Generator(name="translation_y", unit="shortest side", per_unit=2.0, cap=1.0),
    ROTATION,
    Generator(name="scale", unit="log", cap=math.log(2)),
    Generator(name="stretch", unit="log", cap=math.log(2)),
    Generator(name="shear", unit="log", cap=math.log(2)),
)
AFFINE_ALGEBRA = torch.tensor(
    [
        [[0, 0, 1], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 1], [0, 0, 0]],
        [[0, -1, 0], [1, 0, 0], [0, 0, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 0]],
        [[1, 0, 0], [0, -1, 0], [0, 0, 0]],
        [[0, 1, 0], [1, 0, 0], [0, 0, 0]],
    ],
    dtype=torch.float64,
)


@dataclass(frozen=True)
class Rotations(Formulas):
    """SO(2) and O(2)."""

    reflections: bool

    def inverse(self, g: Tensor) -> Tensor:
        """The transpose."""
        return g.mT

    def exp(self, a: Tensor) -> Tensor:
        """The rotation by the angle `a`."""
        cos, sin = a[..., 0].cos(), a[..., 0].sin()
        return _matrix((cos, -sin, sin, cos), 2)

    def log(self, g: Tensor) -> Tensor:
        """The angle, in (-π, π]."""
        return rotation_angle(g).unsqueeze(-1)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """The angle plus whole turns."""
        return circular(a, turns)

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """A uniform angle and, with reflections, a fair coin."""
        u = torch.rand((*shape, 2), dtype=like.dtype, device=like.device, generator=generator)
        g = self.exp(math.pi * (2 * u[..., :1] - 1))
        flip = constant(FLIP, like) @ g
        return torch.where((u[..., 1] < 0.5)[..., None, None], flip, g) if self.reflections else g

    def log_haar(self, a: Tensor) -> Tensor:
        """`-log 2π`."""
        return torch.full_like(a[..., 0], -math.log(2 * math.pi))

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Orthogonal, and without reflections of positive determinant."""
        return is_orthogonal(g, atol) & ((det2(g) > 0) | self.reflections)

    def component(self, g: Tensor) -> Tensor:
        """1 for a reflection."""
        return (det2(g) < 0).long()


@dataclass(frozen=True)
class AffineSubgroup(Formulas):
    """The subgroup of the affine group that some of its six coordinates span."""

    slots: tuple[int, ...]

    def inverse(self, g: Tensor) -> Tensor:
        """`(L, t) -> (L⁻¹, -L⁻¹ t)`."""
        return _homogeneous(*_inverse(*_entries(g)))

    def exp(self, a: Tensor) -> Tensor:
        """`exp [[M, v], [0, 0]] = [[exp M, φ(M) v], [0, 1]]` with `φ(M) = ∫₀¹ exp(uM) du`."""
        x, y, turn, s, p, q = self._embed(a)
        delta = p * p + q * q - turn * turn
        # exp M = γ I + η N and φ(M) = α I + β N
        gamma, eta, alpha, beta = _exp_and_phi(s, delta)
        linear = (gamma + eta * p, eta * (q - turn), eta * (q + turn), gamma - eta * p)
        top = alpha * x + beta * (p * x + (q - turn) * y)
        bottom = alpha * y + beta * ((q + turn) * x - p * y)
        return _homogeneous(*linear, top, bottom)

    def log(self, g: Tensor) -> Tensor:
        """The inverse of `exp`: first `s` and `N` from the linear part, then `v = φ(M)⁻¹ t`."""
        a, b, c, d, x, y = _entries(g)
        s = 0.5 * (a * d - b * c).log()
        p, q, turn = self._traceless(g, s)
        delta = p * p + q * q - turn * turn
        _, _, alpha, beta = _exp_and_phi(s, delta)
        f, h = beta * (q - turn), beta * (q + turn)
        e, i = alpha + beta * p, alpha - beta * p
        determinant = e * i - f * h
        v = ((i * x - f * y) / determinant, (e * y - h * x) / determinant)
        return torch.stack([(*v, turn, s, p, q)[slot] for slot in self.slots], dim=-1)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """`N_k = r N` with `r = ω_k / ω` and `ω² = -δ`, where the linear part turns; `v_k = M_k M⁻¹ v`.

        For `φ(M) = M⁻¹ (exp M - I)`, and `exp M` is the same for all. Volume grows by `r²`, where `N` has three
        coordinates, and by `(s² + ω_k²) / (s² + ω²)`, the ratio of the determinants of `M`, where there is `v`.
        """
        if 2 not in self.slots:
            return super().windings(a, turns)
        x, y, turn, s, p, q = (part.unsqueeze(-1) for part in self._embed(a))
        square = turn * turn - p * p - q * q
        omega = floored_root(square)
        n, omega_k, log_r = wound(torch.cat([turn, p, q], -1), omega.squeeze(-1), turns)
        r, size, size_k = omega_k / omega, s * s + omega**2, s * s + omega_k**2
        along, across = (s * s + r * omega**2) / size, s * (r - 1) / size
        v = along * x + across * (p * x + (q - turn) * y), along * y + across * ((q + turn) * x - p * y)
        parts = (*v, n[..., 0], s.expand_as(r), n[..., 1], n[..., 2])
        wound_a = torch.stack([parts[slot] for slot in self.slots], dim=-1)
        log_volume = 2 * log_r * (4 in self.slots) + (size_k.log() - size.log()) * (0 in self.slots)
        own = full_turns(turns, a) == 0
        exists = own | (square > 0) | (4 not in self.slots)
        log_volume = torch.where(own, 0.0, torch.where(exists, log_volume, -math.inf))
        return torch.where(own[:, None], a.unsqueeze(-2), wound_a), log_volume

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Conditions on the linear part, the translation and the last row, one for each coordinate that is absent."""
        a, b, c, d, x, y = _entries(g)
        eye = constant(torch.eye(3, dtype=torch.float64), g)
        residuals = [(g - eye)[..., 2, :].abs().amax(-1)]
        if 0 not in self.slots:
            residuals += [x, y]
        if 4 not in self.slots:
            residuals += [a - d, b + c]
        if 2 not in self.slots:
            residuals += [b - c]
        if 3 not in self.slots:
            residuals += [a * d - b * c - 1]
        positive = (a * d - b * c > 0) & ((a > 0) | (2 in self.slots))
        return (torch.stack(residuals, -1).abs() <= atol).all(-1) & positive

    def _embed(self, a: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(self.slots, a.unbind(-1), strict=True))
        zero = torch.zeros_like(a[..., 0])
        return tuple(given.get(slot, zero) for slot in range(6))

    def _traceless(self, g: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if 4 not in self.slots:
            turn = rotation_angle(g[..., :2, :2])
            return torch.zeros_like(s), torch.zeros_like(s), turn
        return _log_unimodular(g[..., :2, :2] / s.exp()[..., None, None])


def det2(g: Tensor) -> Tensor:
    """Determinant of the upper left 2 x 2 block, without a decomposition."""
    return g[..., 0, 0] * g[..., 1, 1] - g[..., 0, 1] * g[..., 1, 0]


def rotation_angle(g: Tensor) -> Tensor:
    """Angle of the rotation nearest to a 2 x 2 matrix."""
    return torch.atan2(g[..., 1, 0] - g[..., 0, 1], g[..., 0, 0] + g[..., 1, 1])


def is_orthogonal(g: Tensor, atol: float) -> Tensor:
    """Whether `gᵀ g = I`."""
    eye = torch.eye(g.shape[-1], dtype=g.dtype, device=g.device)
    return ((g.mT @ g - eye).abs() <= atol).all(-1).all(-1)


def _matrix(entries: tuple[Tensor, ...], n: int) -> Tensor:
    return torch.stack(entries, dim=-1).unflatten(-1, (n, n))


def _homogeneous(a: Tensor, b: Tensor, c: Tensor, d: Tensor, x: Tensor, y: Tensor) -> Tensor:
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    return _matrix((a, b, x, c, d, y, zero, zero, one), 3)


def _entries(g: Tensor) -> tuple[Tensor, ...]:
    return g[..., 0, 0], g[..., 0, 1], g[..., 1, 0], g[..., 1, 1], g[..., 0, 2], g[..., 1, 2]


def _inverse(a: Tensor, b: Tensor, c: Tensor, d: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    determinant = a * d - b * c
    a, b, c, d = d / determinant, -b / determinant, -c / determinant, a / determinant
    return a, b, c, d, -(a * x + b * y), -(c * x + d * y)


_NEAR_DELTA, _NEAR_S = 10.0, 3.0
_J, _K = 32, 16
_COSINE = torch.tensor([[1 / math.factorial(2 * k + i) for i in range(2)] for k in range(_K)], dtype=torch.float64)
_PHI = torch.tensor(
    [
        [1 / (math.factorial(j) * math.factorial(2 * k + i) * (2 * k + i + j + 1)) for i in range(2) for j in range(_J)]
        for k in range(_K)
    ],
    dtype=torch.float64,
)
_SERIES = torch.cat([_COSINE, _PHI], dim=-1)


def _exp_and_phi(s: Tensor, delta: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`γ, η, α, β` with `exp M = γ I + η N` and `φ(M) = α I + β N`.

    `φ(M) = ∫₀¹ e^{us} (cosh(u√δ) I + sinh(u√δ)/√δ N) du` is a double power series in `δ` and `s`, summed close to 0;
    elsewhere it is `M⁻¹ (exp M - I)`, with `M⁻¹ = (s I - N) / (s² - δ)`.
    """
    near_delta = delta.abs() <= _NEAR_DELTA
    near = near_delta & (s.abs() <= _NEAR_S)
    if may_look(s) and bool(near.all()):
        # all that is far would be thrown away
        c0, c1, alpha, beta = _summed(torch.stack([delta, s]))
        growth = s.exp()
        return growth * c0, growth * c1, alpha, beta
    s = _away_from_singular(s, delta, near)
    # Safe values where the other branch is used, else the gradient of `where` would be nan.
    inner = torch.where(torch.stack([near_delta, near]), torch.stack([delta, s]), torch.zeros_like(s))
    near_c0, near_c1, alpha, beta = _summed(inner)
    far_c0, far_c1 = cosine_and_sine(torch.where(near_delta, torch.ones_like(s), -delta))
    growth = s.exp()
    gamma = growth * torch.where(near_delta, near_c0, far_c0)
    eta = growth * torch.where(near_delta, near_c1, far_c1)
    determinant = torch.where(near, torch.ones_like(s), s * s - delta)
    far_alpha = (s * (gamma - 1) - delta * eta) / determinant
    far_beta = (s * eta - gamma + 1) / determinant
    return gamma, eta, torch.where(near, alpha, far_alpha), torch.where(near, beta, far_beta)


def _summed(delta_and_s: Float[Tensor, "2 *B"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`cosh √δ`, `sinh √δ / √δ`, `α` and `β` by their series."""
    rows, columns = powers(delta_and_s, 5).unbind(0)
    series = rows[..., :_K] @ constant(_SERIES, rows)
    alpha, beta = (series[..., 2:].unflatten(-1, (2, _J)) * columns.unsqueeze(-2)).sum(-1).unbind(-1)
    return series[..., 0], series[..., 1], alpha, beta


def _away_from_singular(s: Tensor, delta: Tensor, near: Tensor) -> Tensor:
    # `M⁻¹` does not exist where `δ = s²`. So far out (factors above 400) half of the digits are enough.
    r = torch.finfo(s.dtype).eps ** 0.5
    singular = ~near & ((s * s - delta).abs() <= 2 * r * delta.abs())
    return torch.where(singular, s * (1 + 4 * r), s)


def _log_unimodular(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`N` with `exp N = g` for 2 x 2 matrices of determinant 1, as coordinates of stretch, shear and rotation.

    `g = cos(θ) I + sin(θ)/θ N`: the traceless part of `g` is parallel to `N`, and its square is `-sin(θ)²`.
    """
    trace = 0.5 * (g[..., 0, 0] + g[..., 1, 1])
    p = 0.5 * (g[..., 0, 0] - g[..., 1, 1])
    q = 0.5 * (g[..., 0, 1] + g[..., 1, 0])
    turn = 0.5 * (g[..., 1, 0] - g[..., 0, 1])
    square = p * p + q * q - turn * turn
    factor = _inverse_sinc(square, trace)
    # -I has many logarithms; the half turn is the one that stays in the group of rotations.
    half_turn = (trace < 0) & (square.abs() <= torch.finfo(g.dtype).eps ** 2)
    turn = torch.where(half_turn, torch.full_like(turn, math.pi), factor * turn)
    zero = torch.zeros_like(p)
    return torch.where(half_turn, zero, factor * p), torch.where(half_turn, zero, factor * q), turn


def _inverse_sinc(square: Tensor, trace: Tensor) -> Tensor:
    """`θ / sin θ`, or `η / sinh η` for positive `square`; nan where no real logarithm exists."""
    near = (square.abs() <= 1e-4) & (trace > 0)
    safe = torch.where(near, torch.ones_like(square), square)
    root = safe.abs().clamp_min(torch.finfo(square.dtype).tiny).sqrt()
    turning = torch.atan2(root, trace) / root
    stretching = torch.where(trace > 0, root.asinh() / root, torch.full_like(root, math.nan))
    inner = torch.where(near, square, torch.zeros_like(square))
    series = 1 + inner * (-1 / 6 + inner * (3 / 40 + inner * (-5 / 112 + inner * (35 / 1152))))
    return torch.where(near, series, torch.where(safe < 0, turning, stretching))
