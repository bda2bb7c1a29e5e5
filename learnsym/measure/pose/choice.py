"""Which shape of the law the poses prefer: uniform, normal, the same uniform law around several modes, or two ranges.

Each shape is fitted by maximum likelihood to the same readings; every mode more costs `log N`, for its place and its
mass (Schwarz 1978). Two ranges are a mixture about one middle, `w U(-a, a) + (1 - w) U(-b, b)`, as where examples of
some classes are turned further than others; `b` is the half-width, and they cost as much as one mode more. A normal law
is told from a uniform one by its tails alone, so that where the errors of readings are as wide as the law itself,
neither is preferred.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from learnsym.measure.pose.deconvolution import Deconvolution, deconvolve
from learnsym.measure.pose.law import LawFit, LawTable, fit_law, law_table, table_of_modes, table_of_two_ranges
from learnsym.measure.pose.read_out import ReadOut

Form = Literal["uniform", "normal", "several modes", "two ranges"]
MARGIN = 3.0
"""Log likelihood ratio, in nats, within which shapes are not told apart."""
INNER, COARSE = (0.0, 6.0, 12.0, 18.0, 30.0, 48.0), 6.0
"""Half-widths in degrees of the window that are tried of the narrower of two ranges, and steps of the wider one."""
LEAST = 0.2
"""Share of the examples that the wider range must have beyond the narrower one: fewer are outliers."""
WEAK, BY_CHANCE = 60.0, 10.0
"""Evidence, in nats, below which another reading may tell another law, and what a reading has by chance."""


@dataclass(frozen=True)
class Choice:
    """The preferred shape of a law, its fit, and the free law of the same readings."""

    form: Form
    free: Deconvolution
    fits: dict[Form, LawFit]
    """The fit of each shape that was tried."""
    evidence: dict[Form, float]
    """Log likelihood of each shape above a flat law, in nats, less the cost of its modes."""
    positions: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    """Place of each mode in degrees of the window, and its mass."""
    others: tuple[LawFit, ...] = ()
    """Fits to other readings of the same posteriors, where the evidence is weak or two ranges are preferred."""

    @property
    def fit(self) -> LawFit:
        """The fit of the preferred shape."""
        return self.fits[self.form]

    @property
    def rivals(self) -> list[LawFit]:
        """Fits of shapes and readings that are not told from the preferred one, itself included."""
        best = self.evidence[self.form]
        shapes = [fit for form, fit in self.fits.items() if self.evidence[form] > best - MARGIN]
        # two ranges are read in two ways, which both count
        by_chance = math.inf if self.form == "two ranges" else BY_CHANCE
        return shapes + [fit for fit in self.others if fit.evidence > best - by_chance]

    @property
    def is_sure(self) -> bool:
        """Whether the shape is told from all others."""
        return len(self.rivals) == 1


def chosen_law(
    read: ReadOut,
    fold: Tensor,
    closed: bool,
    step: float,
    *,
    order: int = 1,
    apart: bool = True,
    bootstrap: int = 0,
    seed: int = 0,
) -> Choice:
    """The fit of the shape that the readings prefer.

    Args:
        read: poses and their sharpness.
        fold: which network read each example.
        closed: whether the window is a circle; several modes are looked for on circles alone.
        step: degrees between half-widths.
        order: of the law, which the window holds one period of.
        apart: whether a closure test tells the examples from moved ones.
        bootstrap: number of bootstrap replicates.
        seed: of the bootstrap, and of the halves that judge the free law.
    """

    def fitted(table: LawTable) -> LawFit:
        return replace(fit_law(read.centre, read.sharpness, fold, table, bootstrap, seed), told_apart=apart)

    table = law_table(closed, step, "uniform", order)
    uniform = fitted(table)
    free = deconvolve(read.centre, uniform, closed, seed)
    if uniform.is_flat:
        return Choice("uniform", free, {"uniform": uniform}, {"uniform": uniform.evidence})
    fits: dict[Form, LawFit] = {"uniform": uniform, "normal": fitted(law_table(closed, step, "normal", order))}
    modes = free.modes() if closed else []
    if len(modes) > 1:
        fits["several modes"] = fitted(table_of_modes(table, modes))
    two = fitted(table_of_two_ranges(table, _inner(read, fold, order))) if closed else None
    if two is not None and two.wider_share > LEAST:
        fits["two ranges"] = two
    evidence: dict[Form, float] = {form: fit.evidence for form, fit in fits.items()}
    if len(modes) > 1:
        evidence["several modes"] -= (len(modes) - 1) * math.log(len(fold))
        # modes that noise made are no worse than one
        evidence["several modes"] -= MARGIN
    if "two ranges" in fits:
        evidence["two ranges"] -= math.log(len(fold)) + MARGIN
    form: Form = max(evidence, key=lambda each: evidence[each])
    # the errors that are removed from the free law are those of the preferred shape
    free = free if form == "uniform" else deconvolve(read.centre, fits[form], closed, seed)
    return Choice(form, free, fits, evidence, tuple(modes) if form == "several modes" else ((0.0, 1.0),))


def _inner(read: ReadOut, fold: Tensor, order: int) -> float:
    """The half-width of the narrower of two ranges, of those tried in coarse steps, with which they are likeliest."""
    table = law_table(True, COARSE, "uniform", order)
    tried = {inner: table_of_two_ranges(table, inner) for inner in INNER}
    return max(INNER, key=lambda inner: fit_law(read.centre, read.sharpness, fold, tried[inner]).evidence)


def other_fits(readings: Sequence[ReadOut], fold: Tensor, step: float, order: int) -> list[LawFit]:
    """Fits of a uniform law to other readings of the same posteriors on a circle, without a bootstrap."""
    table = law_table(True, step, "uniform", order)
    return [fit_law(read.centre, read.sharpness, fold, table) for read in readings]


def standard_deviation(half_width: float) -> float:
    """Of a uniform law; half-widths of normal laws are given as those of the uniform law that is as spread.

    Example:
        >>> round(standard_deviation(90.0), 1)
        52.0
    """
    return half_width / math.sqrt(3)


def extent(form: Form, half_width: float, share: float = 0.9, inner: tuple[float, float] = (0.0, 0.0)) -> float:
    """Half the length of the interval about the middle of one mode that holds a share of the law.

    Args:
        form: of the law.
        half_width: of the law, the wider one of two ranges.
        share: that the interval holds.
        inner: share of the examples in the narrower of two ranges, and its half-width.

    Example:
        >>> extent("uniform", 60.0)
        54.0
        >>> round(extent("normal", 60.0), 1)
        57.0
        >>> round(extent("two ranges", 90.0, inner=(0.5, 15.0)), 1)
        72.0
    """
    if form == "two ranges":
        # w + (1 - w) t / b, or with both ranges when the interval ends within the narrow one
        weight, narrow = inner
        beyond = (share - weight) / max(1 - weight, 1e-9) * half_width
        within = share / max(weight / max(narrow, 1e-9) + (1 - weight) / half_width, 1e-9)
        return beyond if beyond > narrow else within
    if form != "normal":
        return share * half_width
    quantile = math.sqrt(2) * float(torch.erfinv(torch.tensor(share, dtype=torch.float64)))
    return quantile * standard_deviation(half_width)
