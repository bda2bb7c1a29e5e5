"""Learned matrices that move the entries of a kernel, as the elements of an unknown finite group would.

Legend of axes: `H` matrices, `n` entries of a kernel, `G` elements of a known group.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np
import scipy
import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import FieldType
from learnsym.equivariant.lattice.orbits import kernel_orbits
from learnsym.relax.sharing.penalties import row_entropy
from learnsym.representations import Regular

ROUNDS = 20
"""Rounds of Sinkhorn's normalisation, as published."""


def sinkhorn(theta: Float[Tensor, "*H n n"], rounds: int = ROUNDS) -> Float[Tensor, "*H n n"]:
    """The matrix `exp(Θ)` with rows and columns divided by their sums in turn: doubly stochastic in the limit.

        R = diag(u) E diag(v),    u ← 1 / (E v),    v ← 1 / (Eᵀ u),    E = exp(Θ) with rows that sum to 1

    Columns come last, so that their sums are 1 exactly; rows are near it.

    Reference: Sinkhorn (1964); Adams, Zemel, "Ranking via Sinkhorn propagation" (2011), arXiv 1106.1925.

    Args:
        theta: `Θ`.
        rounds: of both normalisations.

    Example:
        >>> ls.relax.sharing.sinkhorn(torch.tensor([[0.0, 1.0], [1.0, 0.0]])).sum(1)
        tensor([1., 1.])
    """
    # no column may vanish where Θ is very negative
    E = theta.softmax(-1) + torch.finfo(theta.dtype).tiny ** 0.5
    u, v = (torch.ones_like(E[..., :1]) for _ in range(2))
    for _ in range(rounds):
        u = (E @ v).reciprocal()
        v = (E.mT @ u).reciprocal()
    return u * E * v.mT


def row_stochastic(theta: Float[Tensor, "*H n n"]) -> Float[Tensor, "*H n n"]:
    """Rows that sum to 1: each new entry is a mean of entries, but some may be used often and others not at all."""
    return theta.softmax(-1)


def free(theta: Float[Tensor, "*H n n"]) -> Float[Tensor, "*H n n"]:
    """Any matrix: `2 Θ / n`, whose rows sum to 1 on average for entries of `Θ` in [0, 1]."""
    return 2 * theta / theta.shape[-1]


kinds: dict[str, Callable[[Tensor], Tensor]] = {
    "doubly_stochastic": sinkhorn,
    "row_stochastic": row_stochastic,
    "free": free,
}
"""From `Θ` to matrices, by name."""


@final
class LearnedMoves(nn.Module):
    """A stack of matrices `R_1 = 1, R_2, ..., R_H` that move the entries of a kernel, each learned by itself.

        R_h = sinkhorn(Θ_h)

    A hard doubly stochastic matrix is a permutation, which is how a group that maps pixels to pixels moves a kernel; no
    product of the group is imposed. `Θ` starts uniform in [0, 1], where all entries are mixed.

    Reference: van der Linden, García-Castellanos, Vadgama, Kuipers, Bekkers, "Learning symmetries via weight-sharing
    with doubly stochastic tensors" (2024), arXiv 2412.04594.

    Args:
        count: number `H` of matrices, the identity among them.
        entries: number `n`.
        kind: `doubly_stochastic`; `row_stochastic` and `free` are for comparison.

    Raises:
        ValueError: for fewer than two matrices, no entries, or an unknown kind.

    Example:
        >>> ls.relax.sharing.LearnedMoves(4, 9).matrices().shape
        torch.Size([4, 9, 9])
    """

    over_elements = True

    def __init__(self, count: int, entries: int, kind: str = "doubly_stochastic") -> None:
        super().__init__()
        for name, value, least in (("count", count, 2), ("entries", entries, 1)):
            if value < least:
                raise ValueError(f"{name}: got {value}, must be at least {least}")
        check_kind(kind)
        self.kind = kind
        self.theta = nn.Parameter(torch.rand(count - 1, entries, entries))

    def matrices(self) -> Float[Tensor, "H n n"]:
        """The matrices."""
        identity = torch.eye(self.theta.shape[-1], dtype=self.theta.dtype, device=self.theta.device)
        return torch.cat([identity[None], kinds[self.kind](self.theta)])

    def norm(self) -> Float[Tensor, ""]:
        """The mean square of the logarithms of the sums of `exp(Θ)`, over rows and columns; what keeps `Θ` in scale.

        Of rows alone where only they are normalised, and 0 where nothing is.
        """
        dims = {"doubly_stochastic": (-1, -2), "row_stochastic": (-1,), "free": ()}[self.kind]
        sums = [self.theta.logsumexp(dim).square().mean() for dim in dims]
        return torch.stack(sums).mean() if sums else self.theta.new_zeros(())

    def entropy(self) -> Float[Tensor, ""]:
        """The mean entropy of the rows of learned matrices, 0 for permutations and for free matrices."""
        return self.theta.new_zeros(()) if self.kind == "free" else row_entropy(self.matrices()[1:]).mean()

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """`Θ`."""
        return [self.theta]

    def extra_repr(self) -> str:
        """Sizes and kind."""
        return f"count={len(self.theta) + 1}, entries={self.theta.shape[-1]}, kind={self.kind}"


def group_moves(in_type: FieldType, kernel_size: int) -> Float[Tensor, "G n n"]:
    """How the elements of a known group move a kernel to regular fields: permutations of its `n = b k²` entries.

        k(g, b, u) = (P_g w)(b, u),    w(b, u) = k(e, b, u)

    Args:
        in_type: trivial or regular fields of the input, of `b` components.
        kernel_size: `k`.

    Raises:
        ValueError: for a group that does not map pixels to pixels.

    Example:
        >>> turns = ls.relax.sharing.group_moves(ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 1), 3)
        >>> bool((turns[1] @ turns[1] == turns[2]).all())
        True
    """
    source = in_type.parts[0][0]
    orbits = kernel_orbits(source, Regular(source.group), kernel_size).flatten(1)
    return nn.functional.one_hot(orbits, orbits.shape[1]).to(torch.float64)


def convex_coefficients(
    matrices: Float[Tensor, "H n n"], elements: Float[Tensor, "G n n"]
) -> tuple[Float[Tensor, "H G"], Float[Tensor, "H"]]:
    """Matrices as convex combinations of others, by constrained least squares: what part of each is which element.

        min_c |R_h - Σ_g c_g P_g|²,    c_g ≥ 0, Σ_g c_g = 1

    Args:
        matrices: `R_h`, learned.
        elements: `P_g`, known; where they are dependent, as those of D_4 on 3 x 3 pixels, the answer is one of several.

    Returns:
        The coefficients, and what is left over, `|R_h - Σ_g c_g P_g| / |R_h|`.

    Reference: the evaluation of van der Linden et al. (2024), arXiv 2412.04594.

    Example:
        >>> turns = ls.relax.sharing.group_moves(ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 1), 3)
        >>> mixed = 0.75 * turns[1:2] + 0.25 * turns[3:]
        >>> ls.relax.sharing.convex_coefficients(mixed, turns)[0]
        tensor([[0.0000, 0.7500, 0.0000, 0.2500]], dtype=torch.float64)
    """
    R, P = (each.detach().cpu().double().flatten(1).numpy() for each in (matrices, elements))
    # |R - cᵀ P|² = cᵀ PPᵀ c - 2 c · PR + |R|²
    gram, slopes = P @ P.T, R @ P.T
    coefficients = np.stack([_on_simplex(gram, slope) for slope in slopes])
    left = np.linalg.norm(R - coefficients @ P, axis=1) / np.linalg.norm(R, axis=1)
    return torch.from_numpy(coefficients), torch.from_numpy(left)


def _on_simplex(gram: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """`min_c cᵀ M c - 2 c · b` over the simplex."""
    count, scale = len(slope), np.trace(gram)
    found = scipy.optimize.minimize(
        lambda c: (c @ gram @ c - 2 * c @ slope) / scale,
        np.full(count, 1 / count),
        jac=lambda c: 2 * (gram @ c - slope) / scale,
        bounds=[(0.0, 1.0)] * count,
        constraints={"type": "eq", "fun": lambda c: c.sum() - 1, "jac": lambda c: np.ones(count)},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    return np.clip(found.x, 0.0, 1.0).round(9)


def check_kind(kind: str) -> None:
    """Raise ValueError for an unknown kind of matrices."""
    if kind not in kinds:
        raise ValueError(f"kind: got {kind!r}, must be one of {', '.join(kinds)}")
