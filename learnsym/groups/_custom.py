"""CustomGroup: the group that given matrices generate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym._constant import constant
from learnsym.groups._group import Generator
from learnsym.groups._logm import logm
from learnsym.groups._matrix_group import Formulas, MatrixGroup


def CustomGroup(
    generators: Tensor,
    names: Sequence[str | Generator] | None = None,
    space: str = "space",
    name: str = "",
    closed: bool = True,
) -> MatrixGroup:
    """The connected group whose Lie algebra is spanned by the given matrices: `exp(sum_i a_i G_i)`.

    It counts as not compact, since whether the matrices close up into a compact group is not checked.

    Args:
        generators: linearly independent matrices, `(D, n, n)`.
        names: a name or a `Generator` (with unit and cap) for each; `g1`, `g2`, ... by default.
        space: what the matrices act on: `line`, `plane`, `space`, `spacetime`, `channels`, `rgb`, `index`.
        name: of the group; made from the sizes by default.
        closed: require that the brackets `[G_i, G_j]` lie in the span, without which products leave the group.

    Raises:
        ValueError: for matrices that are not square, not finite or dependent, or a span that is not closed.

    Example:
        >>> squeeze = ls.groups.CustomGroup(torch.tensor([[[1.0, 0.0], [0.0, -1.0]]]), names=["squeeze"])
        >>> squeeze.exp(torch.tensor([0.0]))
        tensor([[1., 0.],
                [0., 1.]])
    """
    algebra = generators.detach().to("cpu", torch.float64)
    _check_matrices(algebra)
    if closed:
        _check_closed(algebra)
    given = [f"g{i + 1}" for i in range(len(algebra))] if names is None else list(names)
    if len(given) != len(algebra):
        raise ValueError(f"names: got {len(given)} for {len(algebra)} generators; give one for each matrix")
    n = algebra.shape[-1]
    return MatrixGroup(
        name=name or f"custom({', '.join(g if isinstance(g, str) else g.name for g in given)})",
        space=space,
        generators=tuple(Generator(name=g) if isinstance(g, str) else g for g in given),
        algebra=algebra,
        components=torch.eye(n, dtype=torch.float64)[None],
        is_compact=False,
        formulas=Exponentials(algebra, torch.linalg.pinv(algebra.flatten(1))),
    )


@dataclass(frozen=True, eq=False)
class Exponentials(Formulas):
    """Matrix exponentials of an algebra, without a closed form."""

    algebra: Tensor
    projection: Tensor
    """Pseudo-inverse of the flattened algebra: from matrices to coordinates."""

    def inverse(self, g: Tensor) -> Tensor:
        """The matrix inverse."""
        return torch.linalg.inv(g)

    def exp(self, a: Tensor) -> Tensor:
        """`torch.linalg.matrix_exp`."""
        x = (a @ constant(self.algebra, a).flatten(1)).unflatten(-1, self.algebra.shape[1:])
        return torch.linalg.matrix_exp(x)

    def log(self, g: Tensor) -> Tensor:
        """The matrix logarithm, projected to the algebra; nan where its exponential is not `g`, as near half turns."""
        a = logm(g).flatten(-2) @ constant(self.projection, g)
        size = 1 + g.detach().abs().amax((-2, -1))
        right = self._error(a.detach(), g.detach()) <= torch.finfo(g.dtype).eps ** 0.4 * size
        return torch.where(right.unsqueeze(-1), a, math.nan)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Whether `exp(log g) = g`: true where a principal logarithm exists in the algebra."""
        return self._error(logm(g).flatten(-2) @ constant(self.projection, g), g) <= atol

    def _error(self, a: Tensor, g: Tensor) -> Tensor:
        finite = a.isfinite().all(-1)
        error = (self.exp(torch.where(finite.unsqueeze(-1), a, torch.zeros_like(a))) - g).abs().amax((-2, -1))
        return torch.where(finite, error, math.inf)


def _check_matrices(algebra: Tensor) -> None:
    shape = tuple(algebra.shape)
    if algebra.ndim != 3 or shape[0] < 1 or shape[1] != shape[2]:
        raise ValueError(f"generators: got shape {shape}, must be (D, n, n) with D >= 1; stack square matrices")
    if not bool(algebra.isfinite().all()):
        raise ValueError("generators: got entries that are not finite; remove nan and inf")
    rank = int(torch.linalg.matrix_rank(algebra.flatten(1)))
    if rank < len(algebra):
        raise ValueError(
            f"generators: got {len(algebra)} matrices of rank {rank}, must be linearly independent; "
            "remove those that the others span"
        )


def _check_closed(algebra: Tensor) -> None:
    flat = algebra.flatten(1)
    product = algebra[:, None] @ algebra[None]
    bracket = (product - product.transpose(0, 1)).flatten(2)
    outside = bracket - bracket @ torch.linalg.pinv(flat) @ flat
    size = outside.abs().amax(-1)
    if bool((size > 1e-9 * (1 + bracket.abs().max())).any()):
        i, j = divmod(int(size.argmax()), len(algebra))
        raise ValueError(
            f"generators: the bracket of number {i} and number {j} lies outside their span, so products leave "
            "the group; add the brackets, or pass closed=False for a mere family of transformations"
        )
