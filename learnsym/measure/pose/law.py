"""The parametric law of poses: a shape of half-width `t`, read with errors, flips and outliers, by maximum likelihood.

    p(c) = a [P_t * K_s](c) + f [the same, shifted by half a turn](c) + e / circumference + b [P_u * K_s](c),
    a + f + e + b = 1

`c` is the pose that is read from an example, `P_t` the law and `K_s` the kernel of errors (`shapes`). Objects that look
alike upside down are read half a turn off: the flipped component. `P_u` is there where two ranges are tried, with a
narrower half-width `u` that is given; else `b` is 0. `t` is common; kernel, `s, f, e, b` are fitted for each
stratum of sharpness and each fold, as data sets and examples differ in how well they are read. All of it is linear
algebra on a table of densities over a grid of `(t, s)`. Legend of axes: `T` half-widths, `S` scales of either kernel,
`C` cells, `P` parts, `R` replicates, `N` examples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.shapes import CELLS, EDGE, Kernel, Shape, cell_probabilities

NOISES = (3.0, 5.0, 8.0, 12.0, 18.0, 26.0, 38.0, 56.0)
USUAL_NOISE, NOISE_SPREAD, OPEN_SPREAD = 12.0, 0.5, 1.0
"""Prior of the scales of errors: median in degrees of a full turn, and spread of the logarithm, on circles and in open
windows, whose unit says less."""
EVIDENCE = 15.0
"""Log likelihood ratio to a flat law, in nats, that counts as seen; a flat law itself reaches up to about 10."""
KERNELS: tuple[Kernel, ...] = get_args(Kernel)
STRATA = 3
ITERATIONS = 40


@dataclass(frozen=True)
class LawTable:
    """Densities per cell of a law that is read with errors, of its flip, and of outliers."""

    half_widths: Float[Tensor, "T"]
    law: Float[Tensor, "T S C"]
    flipped: Float[Tensor, "T S C"] | None
    outliers: Float[Tensor, "C"]
    scales: Float[Tensor, "S"]
    stratified: bool = True
    usual: float = USUAL_NOISE
    spread: float = NOISE_SPREAD
    """Median of the prior of scales, and spread of their logarithms."""
    narrow: Float[Tensor, "S C"] | None = None
    """The narrower of two ranges."""
    inner: float = 0.0
    """Its half-width."""

    @property
    def parts(self) -> list[Tensor]:
        """Law, flipped law and outliers, and the narrower range where there are two; all `(T, S, C)`."""
        flipped = torch.zeros_like(self.law) if self.flipped is None else self.flipped
        parts = [self.law, flipped, self.outliers.expand_as(self.law)]
        return parts if self.narrow is None else [*parts, self.narrow.expand_as(self.law)]

    @property
    def prior(self) -> Float[Tensor, "S"]:
        """Log prior density of each scale, up to a constant."""
        return -0.5 * ((self.scales / self.usual).log() / self.spread) ** 2


@lru_cache(maxsize=8)
def law_table(closed: bool, step: float, shape: Shape = "uniform", order: int = 1) -> LawTable:
    """The table with half-widths `0, step, ..., 180` degrees of the window, and kernels of either kind.

    Args:
        closed: whether the window is a circle.
        step: degrees between half-widths.
        shape: of the law.
        order: turns by `1/order` of the circle fill the window, so that errors are wider in it; those by a turn vanish.
    """
    half_widths = np.arange(0, EDGE + step / 2, step)
    tables = [cell_probabilities(shape, half_widths, kernel, np.array(NOISES), closed) for kernel in KERNELS]
    law = torch.from_numpy(np.concatenate(tables, 1))
    return LawTable(
        half_widths=torch.from_numpy(half_widths),
        law=law,
        flipped=law.roll(CELLS // 2, -1) if closed else None,
        outliers=torch.full((CELLS,), 1 / CELLS, dtype=torch.float64),
        scales=torch.tensor(NOISES * len(KERNELS), dtype=torch.float64),
        stratified=closed,
        usual=USUAL_NOISE * math.sqrt(order),
        spread=NOISE_SPREAD if closed else OPEN_SPREAD,
    )


def table_of_modes(table: LawTable, modes: Sequence[tuple[float, float]]) -> LawTable:
    """The table of a law around several modes of a circle, all of one half-width.

    Args:
        table: of the law around 0.
        modes: position in degrees of the window, and mass.
    """
    total = sum(mass for _, mass in modes)
    law = sum(mass / total * _turned(table.law, position) for position, mass in modes)
    assert isinstance(law, Tensor)
    return replace(table, law=law, flipped=law.roll(CELLS // 2, -1))


def table_of_two_ranges(table: LawTable, inner: float) -> LawTable:
    """The table of a law of two ranges about one middle, of which the wide one is at least twice the narrow one.

    Args:
        table: of the law of one range.
        inner: half-width of the narrow one, in degrees of the window.
    """
    near = int((table.half_widths - inner).abs().argmin())
    wide = table.half_widths >= max(2 * inner, float(table.half_widths[1]))
    return replace(
        table,
        half_widths=table.half_widths[wide],
        law=table.law[wide],
        flipped=None if table.flipped is None else table.flipped[wide],
        narrow=table.law[near],
        inner=float(table.half_widths[near]),
    )


def _turned(law: Float[Tensor, "T S C"], position: float) -> Float[Tensor, "T S C"]:
    # a position between two cells is shared among them
    cells = position * CELLS / (2 * EDGE)
    low = math.floor(cells)
    return torch.lerp(law.roll(low, -1), law.roll(low + 1, -1), cells - low)


@dataclass(frozen=True)
class StratumFit:
    """The likelihood of one stratum for every `(t, s)`, at the best weights."""

    log_likelihood: Float[Tensor, "T S"]
    log_density: Float[Tensor, "T S C"]
    weights: Float[Tensor, "T S P"]


@dataclass(frozen=True)
class LawFit:
    """The fitted law, in degrees of the window."""

    half_width: float
    half_widths: Float[Tensor, "T"]
    profile: Float[Tensor, "T"]
    """Log likelihood of each half-width, all else at its best."""
    folds: list[float]
    """Estimate from each fold alone."""
    bootstrap: Float[Tensor, "R"]
    """Estimates from examples drawn with replacement."""
    noise: float
    outliers: float
    flipped: float
    evidence: float
    """Log likelihood ratio to a flat law, in nats."""
    strata: Tensor
    fits: list[StratumFit]
    kernels: list[tuple[Kernel, float]]
    """Kernel of errors of each stratum, and its scale."""
    inner: float = 0.0
    """Half-width of the narrower of two ranges; 0 when there is one."""
    inner_share: float = 0.0
    """Share of the examples that is within it."""
    told_apart: bool = True
    """Whether a closure test tells the examples from moved ones."""

    @property
    def is_flat(self) -> bool:
        """Whether the poses are not told from those of a flat law."""
        return self.evidence < EVIDENCE or not self.told_apart

    @property
    def wider_share(self) -> float:
        """Share of the examples within the wider of two ranges that are neither in the narrower one nor misread."""
        return 1 - self.inner_share - self.flipped - self.outliers

    @property
    def best(self) -> int:
        """Index of the half-width."""
        return int(self.profile.argmax())


def cells_of(centre: Float[Tensor, "N"]) -> Tensor:
    """The cell of each pose."""
    return ((centre.double() + EDGE) / (2 * EDGE) * CELLS).long().clamp(0, CELLS - 1)


def strata_of(sharpness: Float[Tensor, "N"], fold: Tensor) -> Tensor:
    """Thirds of equal size by sharpness within each fold; the pose itself does not enter."""
    strata = torch.zeros(len(fold), dtype=torch.long)
    for k in fold.unique().tolist():
        rows = (fold == k).nonzero().squeeze(1)
        rank = sharpness[rows].argsort().argsort()
        strata[rows] = k * STRATA + rank * STRATA // len(rows)
    return strata


def fit_law(
    centre: Float[Tensor, "N"],
    sharpness: Float[Tensor, "N"],
    fold: Tensor,
    table: LawTable,
    bootstrap: int = 0,
    seed: int = 0,
) -> LawFit:
    """Maximum likelihood of the law of poses.

    Args:
        centre: pose of each example in degrees of the window.
        sharpness: how sure each pose is.
        fold: which network read it.
        table: densities over the grid of half-widths and noises.
        bootstrap: number of bootstrap replicates; they keep noise, flips and outliers of each half-width free to choose
            among the fitted ones.
        seed: of the bootstrap.
    """
    # at the ends of an open window sharpness depends on the pose, and must not define strata
    cells, strata = cells_of(centre), strata_of(sharpness, fold) if table.stratified else fold * STRATA
    counts = [_counts(cells[strata == label], table) for label in strata.unique()]
    fits = [fit_stratum(count, table) for count in counts]
    profiles = torch.stack([fit.log_likelihood.amax(1) for fit in fits])
    profile = profiles.sum(0)
    owner = strata.unique() // STRATA
    best = int(profile.argmax())
    noise, _, flipped, outliers, *inner = _shares(fits, counts, table, best)
    flat = sum(float(count @ table.outliers.log()) for count in counts)
    return LawFit(
        half_width=_vertex(profile, table.half_widths),
        half_widths=table.half_widths,
        profile=profile,
        folds=[_vertex(profiles[owner == label].sum(0), table.half_widths) for label in owner.unique()],
        bootstrap=bootstrap_of(centre, strata, fits, table, bootstrap, seed),
        noise=noise,
        outliers=outliers,
        flipped=flipped,
        evidence=float(profile.max()) - flat,
        strata=strata,
        fits=fits,
        inner=table.inner,
        inner_share=math.fsum(inner),
        kernels=[_kernel(int(fit.log_likelihood[best].argmax())) for fit in fits],
    )


def fit_stratum(counts: Float[Tensor, "C"], table: LawTable) -> StratumFit:
    """Best weights of the components for every `(t, s)`, by expectation maximisation (convex, so from anywhere)."""
    parts = table.parts
    # flips are nowhere in an open window
    start = torch.tensor([0.85, 0.075 * (table.flipped is not None), 0.075, 0.85][: len(parts)], dtype=torch.float64)
    weights = (start / start.sum()).expand(*table.law.shape[:2], len(parts))
    filled = counts > 0
    every = torch.stack(parts, 2)
    seen, count = every[..., filled], counts[filled]
    for _ in range(ITERATIONS):
        terms = weights[..., None] * seen
        weights = (terms @ (count / terms.sum(2, keepdim=True)).mT).squeeze(-1) / count.sum()
    log_density = (weights[..., None, :] @ every).squeeze(-2).log()
    return StratumFit(log_density @ counts + table.prior, log_density, weights)


def _kernel(column: int) -> tuple[Kernel, float]:
    # tables have the scales of one kernel after those of the other
    return KERNELS[column // len(NOISES)], NOISES[column % len(NOISES)]


def _counts(cells: Tensor, table: LawTable) -> Float[Tensor, "C"]:
    return torch.bincount(cells, minlength=len(table.outliers)).double()


def _shares(fits: list[StratumFit], counts: list[Tensor], table: LawTable, best: int) -> list[float]:
    """Means over the strata: scale of the errors, and the weight of each part."""
    total, shares = sum(float(count.sum()) for count in counts), np.zeros(1 + len(table.parts))
    for fit, count in zip(fits, counts, strict=True):
        chosen = int(fit.log_likelihood[best].argmax())
        each = [float(table.scales[chosen]), *fit.weights[best, chosen].tolist()]
        shares += float(count.sum()) / total * np.array(each)
    return shares.tolist()


def bootstrap_of(
    centre: Float[Tensor, "N"], strata: Tensor, fits: list[StratumFit], table: LawTable, replicates: int, seed: int
) -> Float[Tensor, "R"]:
    """Estimates of the half-width from examples drawn with replacement, weights of the components as fitted."""
    cells = cells_of(centre)
    draws = np.random.default_rng(seed).multinomial(len(cells), np.full(len(cells), 1 / len(cells)), size=replicates)
    weights = torch.from_numpy(draws).double()
    profile = torch.zeros(replicates, len(table.half_widths), dtype=torch.float64)
    for stratum, fit in zip(strata.unique(), fits, strict=True):
        rows = strata == stratum
        counts = torch.zeros(replicates, len(table.outliers), dtype=torch.float64)
        counts.index_add_(1, cells[rows], weights[:, rows])
        # with the prior of scales, as in the estimate: without it replicates jump to another scale of errors
        profile += (torch.einsum("tsc,rc->rts", fit.log_density, counts) + table.prior).amax(2)
    return torch.tensor([_vertex(each, table.half_widths) for each in profile], dtype=torch.float64)


def _vertex(profile: Float[Tensor, "T"], half_widths: Float[Tensor, "T"]) -> float:
    best = int(profile.argmax())
    if best in (0, len(profile) - 1):
        return float(half_widths[best])
    left, top, right = profile[best - 1 : best + 2].tolist()
    shift = 0.5 * (left - right) / (left - 2 * top + right)
    return float(half_widths[best]) + shift * float(half_widths[1] - half_widths[0])
