"""The parametric law of poses: a uniform law of half-width `t` with noise, flips and outliers, by maximum likelihood.

    p(c) = a [U(-t, t) * N(0, s²)](c) + f [the same, shifted by half a turn](c) + e / circumference,    a + f + e = 1

`c` is the pose that is read from an example. Objects that look alike upside down are read half a turn off: the flipped
component. `t` is common; `s, f, e` are fitted for each stratum of sharpness and each fold. All of it is linear algebra
on a table of densities over a grid of `(t, s)`. Legend of axes: `T` half-widths, `S` noises, `C` cells, `R` replicates,
`N` examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.read_out import EDGE, box_density

CELLS = 120
NOISES = (3.0, 5.0, 7.0, 9.0, 12.0, 15.0, 19.0, 25.0, 33.0)
USUAL_NOISE, NOISE_SPREAD = 12.0, 0.5
STRATA = 3
ITERATIONS = 40


@dataclass(frozen=True)
class LawTable:
    """Densities per cell of the uniform law with noise, of its flip, and of outliers."""

    half_widths: Float[Tensor, "T"]
    box: Float[Tensor, "T S C"]
    flipped: Float[Tensor, "T S C"] | None
    outliers: Float[Tensor, "C"]
    stratified: bool = True


@lru_cache(maxsize=8)
def law_table(closed: bool, step: float) -> LawTable:
    """The table with half-widths `0, step, ..., 180` degrees of the window."""
    half_widths = np.arange(0, EDGE + step / 2, step)
    centres = cell_centres()
    box = box_density(centres, half_widths[:, None, None], np.array(NOISES)[:, None], closed)
    density = torch.from_numpy(box / box.sum(-1, keepdims=True))
    return LawTable(
        half_widths=torch.from_numpy(half_widths),
        box=density,
        flipped=density.roll(CELLS // 2, -1) if closed else None,
        outliers=torch.full((CELLS,), 1 / CELLS, dtype=torch.float64),
        stratified=closed,
    )


@dataclass(frozen=True)
class StratumFit:
    """The likelihood of one stratum for every `(t, s)`, at the best weights."""

    log_likelihood: Float[Tensor, "T S"]
    log_density: Float[Tensor, "T S C"]
    weights: Float[Tensor, "T S 3"]


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
    told_apart: bool = True
    """Whether a closure test tells the examples from moved ones."""

    @property
    def best(self) -> int:
        """Index of the half-width."""
        return int(self.profile.argmax())


def cell_centres() -> np.ndarray:
    """Centres of the cells of poses, in degrees of the window."""
    return (np.arange(CELLS) + 0.5) * (2 * EDGE / CELLS) - EDGE


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
    noise, flipped, outliers = _shares(fits, counts, best)
    flat = sum(float(count @ table.outliers.log()) for count in counts)
    return LawFit(
        half_width=_vertex(profile, table.half_widths),
        half_widths=table.half_widths,
        profile=profile,
        folds=[_vertex(profiles[owner == label].sum(0), table.half_widths) for label in owner.unique()],
        bootstrap=_bootstrap(cells, strata, fits, table, bootstrap, seed),
        noise=noise,
        outliers=outliers,
        flipped=flipped,
        evidence=float(profile.max()) - flat,
        strata=strata,
        fits=fits,
    )


def fit_stratum(counts: Float[Tensor, "C"], table: LawTable) -> StratumFit:
    """Best weights of the components for every `(t, s)`, by expectation maximisation (convex, so from anywhere)."""
    parts = [table.box, table.flipped if table.flipped is not None else torch.zeros_like(table.box)]
    weights = torch.tensor([0.85, 0.075 if table.flipped is not None else 0.0, 0.075], dtype=torch.float64)
    weights = (weights / weights.sum()).expand(*table.box.shape[:2], 3)
    filled = counts > 0
    seen = [part[..., filled] for part in parts]
    flat, count = table.outliers[filled], counts[filled]
    for _ in range(ITERATIONS):
        w = weights[..., None]
        terms = (w[..., 0, :] * seen[0], w[..., 1, :] * seen[1], w[..., 2, :] * flat)
        share = count / (terms[0] + terms[1] + terms[2])
        weights = torch.stack([(term * share).sum(-1) for term in terms], -1) / count.sum()
    w = weights[..., None]
    log_density = (w[..., 0, :] * parts[0] + w[..., 1, :] * parts[1] + w[..., 2, :] * table.outliers).log()
    noises = torch.tensor(NOISES, dtype=torch.float64)
    prior = -0.5 * ((noises / USUAL_NOISE).log() / NOISE_SPREAD) ** 2
    return StratumFit(log_density @ counts + prior, log_density, weights)


def _counts(cells: Tensor, table: LawTable) -> Float[Tensor, "C"]:
    return torch.bincount(cells, minlength=len(table.outliers)).double()


def _shares(fits: list[StratumFit], counts: list[Tensor], best: int) -> tuple[float, float, float]:
    total, shares = sum(float(count.sum()) for count in counts), np.zeros(3)
    for fit, count in zip(fits, counts, strict=True):
        chosen = int(fit.log_likelihood[best].argmax())
        _, flipped, outliers = fit.weights[best, chosen].tolist()
        shares += float(count.sum()) / total * np.array([NOISES[chosen], flipped, outliers])
    return float(shares[0]), float(shares[1]), float(shares[2])


def _bootstrap(
    cells: Tensor, strata: Tensor, fits: list[StratumFit], table: LawTable, replicates: int, seed: int
) -> Float[Tensor, "R"]:
    draws = np.random.default_rng(seed).multinomial(len(cells), np.full(len(cells), 1 / len(cells)), size=replicates)
    weights = torch.from_numpy(draws).double()
    profile = torch.zeros(replicates, len(table.half_widths), dtype=torch.float64)
    for stratum, fit in zip(strata.unique(), fits, strict=True):
        rows = strata == stratum
        counts = torch.zeros(replicates, len(table.outliers), dtype=torch.float64)
        counts.index_add_(1, cells[rows], weights[:, rows])
        profile += torch.einsum("tsc,rc->rts", fit.log_density, counts).amax(2)
    return table.half_widths[profile.argmax(1)]


def _vertex(profile: Float[Tensor, "T"], half_widths: Float[Tensor, "T"]) -> float:
    best = int(profile.argmax())
    if best in (0, len(profile) - 1):
        return float(half_widths[best])
    left, top, right = profile[best - 1 : best + 2].tolist()
    shift = 0.5 * (left - right) / (left - 2 * top + right)
    return float(half_widths[best]) + shift * float(half_widths[1] - half_widths[0])
