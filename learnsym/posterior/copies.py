"""Which elements examples are moved by, so that averages over every law of a family follow from the same ones.

Legend of axes: `*T` degrees, `K` elements, `A` axes, `M` nodes of an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.distributions import midpoints
from learnsym.posterior.axes import Axis
from learnsym.posterior.prior import SpikedPrior

Table = tuple[Tensor, ...]
"""A law over nodes, independent along the axes: one vector `(M,)` of probabilities each."""
GRID = 128
"""Degrees over which the prior of one axis is averaged."""


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Rows of nodes with importance weights: an average over a law of degree `s` is `Σ_k W_k(s) h(g_k)`.

        W_k(s) ∝ n_k / q(k) · Π_i w_i(s_i)[k_i]

    `w_i` is the law of axis `i` on its nodes, `n_k` how often row `k` was drawn from the proposal `q`, a mixture. Of a
    complete set every row is there once, `n / q = 1`, and the sum is a quadrature without chance.
    """

    axes: tuple[Axis, ...]
    nodes: Int[Tensor, "K A"]
    counts: Float[Tensor, "K"]
    proposals: tuple[tuple[int, Table], ...] = ()
    """How many rows were drawn from each part of the mixture; none of a complete set."""

    @staticmethod
    def complete(axes: Sequence[Axis]) -> Copies:
        """Every combination of nodes."""
        nodes = torch.cartesian_prod(*(torch.arange(axis.nodes) for axis in axes)).reshape(-1, len(axes))
        return Copies(axes=tuple(axes), nodes=nodes, counts=torch.ones(len(nodes), dtype=torch.float64))

    @staticmethod
    def drawn(axes: Sequence[Axis], prior: SpikedPrior, count: int, seed: int = 0) -> Copies:
        """About `count` rows: along each axis by itself, of the full law, and of the laws of the prior."""
        empty = torch.empty(0, len(axes), dtype=torch.long)
        copies = Copies(axes=tuple(axes), nodes=empty, counts=torch.empty(0, dtype=torch.float64))
        for i, axis in enumerate(axes):
            copies = copies.extended(_along(axes, i), axis.nodes, seed)
        left = max(count - sum(axis.nodes for axis in axes), 2)
        copies = copies.extended(tuple(axis.weights(torch.ones(())) for axis in axes), left // 2, seed)
        return copies.extended(_of_prior(axes, prior), left - left // 2, seed + 1)

    @property
    def is_complete(self) -> bool:
        """Whether averages are without chance."""
        return not self.proposals

    def __len__(self) -> int:
        return len(self.nodes)

    def extended(self, table: Table, count: int, seed: int = 0) -> Copies:
        """With `count` more rows, drawn from another law; the old ones come first, in their order."""
        u = midpoints(count, len(self.axes), seed).double()
        columns = [torch.searchsorted(q.cumsum(0) / q.sum(), u[:, i].contiguous()) for i, q in enumerate(table)]
        drawn = torch.stack([c.clamp(max=len(q) - 1) for c, q in zip(columns, table, strict=True)], 1)
        known = {tuple(row): k for k, row in enumerate(self.nodes.tolist())}
        places = [known.setdefault(tuple(row), len(known)) for row in drawn.tolist()]
        counts = torch.bincount(torch.tensor(places), minlength=len(known)).double()
        counts[: len(self)] += self.counts
        nodes = torch.tensor(list(known), dtype=torch.long)
        return replace(self, nodes=nodes, counts=counts, proposals=(*self.proposals, (count, table)))

    def log_weights(self, s: Float[Tensor, "*T A"]) -> Float[Tensor, "*T K"]:
        """`log W_k(s)`, normalised."""
        weights = self._unnormalised(s).clamp(min=torch.finfo(torch.float64).tiny)
        return weights.log().log_softmax(-1)

    def effective(self, s: Float[Tensor, "*T A"]) -> Float[Tensor, "*T"]:
        """The effective number of draws behind an average, `(Σ n r)² / Σ n r²` with `r = Π_i w_i / q`."""
        weights = self._unnormalised(s)
        return weights.sum(-1).square() / (weights.square() / self.counts).sum(-1).clamp(min=1e-300)

    def _unnormalised(self, s: Tensor) -> Tensor:
        weights = self._share
        for i, axis in enumerate(self.axes):
            weights = weights * axis.weights(s[..., i])[..., self.nodes[:, i]]
        return weights

    @cached_property
    def _share(self) -> Float[Tensor, "K"]:
        """`n_k / q(k)`."""
        if self.is_complete:
            return self.counts
        total = sum(count for count, _ in self.proposals)
        return self.counts / torch.stack([count / total * self._of(table) for count, table in self.proposals]).sum(0)

    def _of(self, table: Table) -> Float[Tensor, "K"]:
        columns = [q[self.nodes[:, i]] for i, q in enumerate(table)]
        return torch.stack(columns).prod(0)


def copies_of(axes: Sequence[Axis], prior: SpikedPrior, most: int, seed: int = 0) -> Copies:
    """All combinations of nodes where they are at most `most`, otherwise about as many drawn ones."""
    if prod(axis.nodes for axis in axes) <= most:
        return Copies.complete(axes)
    return Copies.drawn(axes, prior, most, seed)


def table_of(axes: Sequence[Axis], s: Float[Tensor, "R A"], weights: Float[Tensor, "R"]) -> Table:
    """The mean law of degrees with weights, along each axis."""
    return tuple(weights @ axis.weights(s[:, i]) for i, axis in enumerate(axes))


def _of_prior(axes: Sequence[Axis], prior: SpikedPrior) -> Table:
    levels = (torch.arange(GRID, dtype=torch.float64) + 0.5)[:, None] / GRID
    s = prior.quantile(levels.expand(-1, len(axes)))
    return table_of(axes, s, torch.full((GRID,), 1 / GRID, dtype=torch.float64))


def _along(axes: Sequence[Axis], moved: int) -> Table:
    """All nodes of one axis alike, the identity along the others."""
    return tuple(
        torch.full((axis.nodes,), 1 / axis.nodes, dtype=torch.float64)
        if i == moved
        else torch.eye(axis.nodes, dtype=torch.float64)[axis.identity]
        for i, axis in enumerate(axes)
    )
