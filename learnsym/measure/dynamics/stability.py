"""Whether a stationary point is stable along and across the equivariant subspace: blocks of the Hessian of a risk.

Legend of axes: `D` numbers of all parameters, `E` directions along, `R` directions across.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.groups import Group
from learnsym.measure.dynamics.coordinates import Subspace, blocks_of
from learnsym.measure.dynamics.distance import Parameters, spaces_of
from learnsym.objectives import Objective
from learnsym.relax import spanned_networks
from learnsym.symmetry import SymmetryLike

DENSE = 400
"""Blocks of at most so many directions are made whole; larger ones are asked by Lanczos' method."""
POWERS = 200
"""Most power iterations for the norm of a large mixed block."""
Product = Callable[[list[Tensor]], list[Tensor]]


@dataclass(frozen=True)
class Stability:
    """The gradient and the Hessian of a risk at a network, in orthonormal directions along and across `E`."""

    along: tuple[float, float]
    """The smallest and the largest eigenvalue of the block along `E`."""
    across: tuple[float, float]
    """Those of the block across it; NaN where no direction leaves it."""
    mixed: float
    """The spectral norm of the block that couples both."""
    gradient_along: float
    """The norm of the gradient's part along `E`: 0 at a stationary point of the equivariant risk."""
    gradient_across: float
    """That of the part across it: 0 where gradient flow that is on `E` stays there."""

    @property
    def stable_along(self) -> bool:
        """Whether no direction along `E` is one of descent to second order."""
        return self.along[0] > -_tolerance(self.along)

    @property
    def stable_across(self) -> bool:
        """Whether no direction across `E` is one of descent to second order."""
        return not self.across[0] < -_tolerance(self.across)

    def __str__(self) -> str:
        return (
            f"along [{self.along[0]:.3g}, {self.along[1]:.3g}], across [{self.across[0]:.3g}, {self.across[1]:.3g}], "
            f"mixed {self.mixed:.3g}; gradient {self.gradient_along:.3g} along, {self.gradient_across:.3g} across"
        )


def stability(
    model: nn.Module,
    objective: Objective,
    batch: Any,  # noqa: ANN401  whatever the objective takes
    symmetry: Group | SymmetryLike | None = None,
    parameters: Parameters | None = None,
) -> Stability:
    """The blocks of the Hessian of a risk along and across the equivariant subspace, by Hessian-vector products.

        H = [ H_EE   H_ER ]    H_EE = Pᵀ H P,   H_RR = Qᵀ H Q,   H_RE = Qᵀ H P
            [ H_RE   H_RR ]

    with `P` and `Q` orthonormal bases of the coordinates that stay in `E` and that leave it. For the augmented risk
    (`objectives.FullOrbit`) of a compatible and orthonormal parametrisation, on `E` the gradient lies along `E` and
    `H_RE = 0`, so that stability along and across are two questions: a minimum of the augmented risk on `E` is one of
    the equivariant risk, but not the other way round, since `H_RR` may have negative eigenvalues where `H_EE` has none.

    Blocks of up to 400 directions are made whole; of larger ones the ends of the spectrum come from Lanczos'
    method and the norm of the mixed block from power iteration, from below.
    Use double precision, where rounding is far below the numbers that are asked for.

    Reference: Nordenfors, Ohlsson, Flinth, "Optimization dynamics of equivariant and augmented neural networks" (2023),
    arXiv 2303.13458.

    Args:
        model: a network, such as `relax.Spanned`; it is asked in training mode and comes back in its own.
        objective: the risk, `(model, batch) -> Loss`, without random numbers.
        batch: all examples that the risk is about.
        symmetry, parameters: as for `distance_to_equivariance`; not for `relax.Spanned`, which knows them. Parameters
            without a space count as equivariant.

    Raises:
        ValueError: for an objective that draws at random, and where it is not known how the group moves parameters.

    Example:
        >>> layers = nn.Conv2d(1, 2, 3, padding=1), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        >>> net = nn.Sequential(*layers).double()
        >>> space = ls.relax.AdmissibleSpace(ls.relax.KernelPixels(3), ls.groups.Cyclic(4))
        >>> exact = ls.relax.Spanned(ls.relax.Spanned(net, {"0.weight": space}).exact().plain(), {"0.weight": space})
        >>> risk = ls.objectives.FullOrbit(ls.objectives.mse, "quarter_turns2d")
        >>> batch = torch.rand(4, 1, 5, 5).double(), torch.rand(4, 2).double()
        >>> ls.measure.stability(exact, risk, batch).mixed < 1e-12
        True
    """
    spaces = {} if spanned_networks(model) and parameters is None else spaces_of(model, symmetry, parameters)
    blocks = blocks_of(model, spaces)
    along, across = (Subspace(list(blocks.values()), which) for which in ("along", "across"))
    training = model.training
    model.train()
    try:
        gradient, product = _derivatives(model, objective, batch, list(blocks))
        return Stability(
            along=_ends(along, product),
            across=_ends(across, product),
            mixed=_coupling(along, across, product),
            gradient_along=float(along.restrict(gradient).norm()),
            gradient_across=float(across.restrict(gradient).norm()),
        )
    finally:
        model.train(training)


def _derivatives(
    model: nn.Module,
    objective: Objective,
    batch: Any,  # noqa: ANN401
    names: list[str],
) -> tuple[list[Tensor], Product]:
    """The gradient by parameter, and the product of the Hessian with a vector."""
    known = dict(model.named_parameters())
    parameters = [known[name] for name in names]
    with torch.enable_grad():
        gradient = _gradient(objective(model, batch).total, parameters)
        again = _gradient(objective(model, batch).total, parameters)
    if not all(map(torch.equal, gradient, again)):
        raise ValueError(
            "objective: has another gradient each time it is asked, must draw nothing at random; take FullOrbit or "
            "Supervised, and a network without dropout"
        )

    def product(direction: list[Tensor]) -> list[Tensor]:
        pairs = [(g, d) for g, d in zip(gradient, direction, strict=True) if g.requires_grad]
        if not pairs:
            return [torch.zeros_like(p) for p in parameters]
        # ∇ (g · v) = H v
        slope = torch.stack([(g * d).sum() for g, d in pairs]).sum()
        second = torch.autograd.grad(slope, parameters, retain_graph=True, allow_unused=True)
        return [torch.zeros_like(p) if s is None else s for p, s in zip(parameters, second, strict=True)]

    return [g.detach() for g in gradient], product


def _gradient(total: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """The gradient by parameter, to be differentiated once more; 0 of parameters that the risk does not depend on."""
    found = torch.autograd.grad(total, parameters, create_graph=True, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


def _apply(source: Subspace, target: Subspace, product: Product) -> Callable[[np.ndarray], np.ndarray]:
    """A block of the Hessian, from coordinates of some directions to those of others."""
    like = source.blocks[0].parameter

    def applied(z: np.ndarray) -> np.ndarray:
        given = torch.as_tensor(np.ascontiguousarray(z.reshape(-1))).to(like)
        return target.restrict(product(source.embed(given))).detach().double().cpu().numpy()

    return applied


def _whole(source: Subspace, target: Subspace, product: Product) -> Float[np.ndarray, "R E"]:
    """A block as a matrix."""
    applied = _apply(source, target, product)
    return np.stack([applied(unit) for unit in np.eye(source.size)], 1)


def _ends(subspace: Subspace, product: Product) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of the Hessian in some directions."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    if not subspace.size:
        return float("nan"), float("nan")
    if subspace.size <= DENSE:
        block = _whole(subspace, subspace, product)
        values = np.linalg.eigvalsh((block + block.T) / 2)
        return float(values[0]), float(values[-1])

    shape = (subspace.size, subspace.size)
    operator = LinearOperator(shape, matvec=_apply(subspace, subspace, product), dtype=np.float64)  # pyright: ignore
    start = np.random.default_rng(0).standard_normal(subspace.size)
    low, high = (
        eigsh(operator, 1, which=end, v0=start, tol=1e-6, return_eigenvectors=False)[0]  # pyright: ignore
        for end in ("SA", "LA")
    )
    return float(low), float(high)


def _coupling(along: Subspace, across: Subspace, product: Product) -> float:
    """The spectral norm of the block that couples two sets of directions."""
    if not across.size or not along.size:
        return 0.0
    if min(along.size, across.size) <= DENSE:
        fewer, more = sorted((along, across), key=lambda subspace: subspace.size)
        return float(np.linalg.norm(_whole(fewer, more, product), 2))
    there, back = _apply(along, across, product), _apply(across, along, product)
    z, norm = np.random.default_rng(0).standard_normal(along.size), 0.0
    for _ in range(POWERS):
        # z -> Mᵀ M z / |z|, of which the norm comes to |M|² from below
        before, z = norm, back(there(z / np.linalg.norm(z)))
        norm = float(np.sqrt(np.linalg.norm(z)))
        if not norm or abs(norm - before) < 1e-4 * norm:
            break
    return norm


def _tolerance(ends: tuple[float, float]) -> float:
    """Rounding of eigenvalues."""
    return 1e-9 * max(abs(ends[0]), abs(ends[1]))
