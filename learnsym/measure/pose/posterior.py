"""The law of poses of a data set: how far `g·x` is as likely as `x`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.degrees import Degree, Status
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.calibration import confidence_of
from learnsym.measure.pose.choice import Choice, extent, standard_deviation
from learnsym.measure.pose.closure import Closure, closure_at, least_p
from learnsym.measure.pose.deconvolution import Deconvolution
from learnsym.measure.pose.interval import extent_interval, is_rejected
from learnsym.measure.pose.law import LawFit
from learnsym.measure.pose.read_out import ReadOut
from learnsym.measure.pose.shapes import EDGE, cell_centres, cell_probabilities

LEARNED = 0.05
"""Gain in learning few poses by heart above which a flat law is put down to the data, not to the network."""
FLIPPED = 0.3
"""Share of examples read half a turn off that is said: up to there the fit takes them out."""
READ_WELL = 1 / 3
"""Share of the largest move to each side, on open orbits, up to which half-widths are read well."""


@dataclass(frozen=True, repr=False)
class PosePosterior:
    """The law of poses of a data set along one generator, and the posterior of each example that it was made from.

    Poses are relative: the law is known up to a common turn, and its centre is put at 0.
    """

    axis: PoseAxis
    posterior: Float[Tensor, "N G"]
    """Held-out probability that each example looks like an ordinary one moved by each offset of the axis."""
    fold: Int[Tensor, "N"]
    """Which network read each example; it was trained on the others."""
    order: int
    """The law is the same after a turn by `1/order` of the circle; 1 for none."""
    read: ReadOut
    choice: Choice
    level: float
    response: float = 1.0
    """How far readings followed known moves; they have been divided by it."""
    control: float = math.nan
    """Gain over chance, in nats, in learning the poses of few examples by heart; nan when the law is not flat."""
    cue: str = ""
    """What else than the objects told their poses, when the law is that without it; empty when nothing did."""
    with_cue: float = math.nan
    """The half-width that the cue decides."""
    is_least: bool = False
    """Whether the law is that with the cue, which is all that tells poses, though the objects are not at all angles: it
    may be wider."""
    left_out: int = 0
    """Examples that were not taken."""
    saliency: Float[Tensor, "P P"] | None = None
    """What is known less of the poses of images without each patch, in nats; None of flat laws and other data."""

    def __repr__(self) -> str:
        """The half-width with its interval, the status, and why, in three lines."""
        generator = self.axis.generator
        interval = f"{self.half_width:.3g} {generator.unit} [{self.low:.3g}, {self.high:.3g}] at {self.level:.0%}"
        said = next(iter(self.flags), "nothing speaks against it")
        return f"{generator.name} up to {interval}\nstatus: {self.status}\n{self.reason or said}"

    @property
    def fit(self) -> LawFit:
        """The fit of the preferred shape."""
        return self.choice.fit

    @property
    def deconvolution(self) -> Deconvolution:
        """The law free of a shape."""
        return self.choice.free

    @property
    def form(self) -> str:
        """The shape that the poses prefer: uniform, normal, uniform around several modes, or two ranges."""
        return self.choice.form

    @property
    def half_width(self) -> float:
        """Estimate of the half-width of each mode, in the unit of the generator; that of a normal law is `sqrt(3)`
        times its standard deviation, as for a uniform law, and that of two ranges is the wider one.
        """
        return self._extent[0]

    @property
    def sd(self) -> float:
        """Standard deviation of each mode, in the unit of the generator."""
        share, narrow = self.inner
        squares = share * standard_deviation(narrow) ** 2 + (1 - share) * standard_deviation(self.half_width) ** 2
        return math.sqrt(squares)

    @property
    def inner(self) -> tuple[float, float]:
        """Share of the examples within the narrower of two ranges, and its half-width; zeros when there is one."""
        return self.fit.inner_share, self.fit.inner * self.unit

    @property
    def extent(self) -> float:
        """Half the length of the interval about the middle of a mode that holds 90 % of its poses."""
        return extent(self.choice.form, self.half_width, inner=self.inner)

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self._extent[1]

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self._extent[2]

    @cached_property
    def fitted(self) -> tuple[float, float, float]:
        """Estimate, lower and upper end that the fit alone gives, however much the network can be trusted."""
        estimate, low, high = extent_interval(self.choice, self.axis.closed, self.level)
        return estimate * self.unit, low * self.unit, high * self.unit

    @cached_property
    def _extent(self) -> tuple[float, float, float]:
        estimate, low, high = self.fitted
        if not self.can_learn:
            return estimate, 0.0, EDGE * self.unit
        return estimate, low, EDGE * self.unit if self.is_cut or self.is_least else high

    @property
    def is_cut(self) -> bool:
        """Whether the law is too wide for the moves of an open orbit, which cut it and make it look narrower."""
        return not self.axis.closed and self.fitted[0] > READ_WELL * self.axis.reach / self.axis.generator.per_unit

    @cached_property
    def confidence(self) -> float:
        """The power of its posteriors that says best where held-out examples were moved: 1 for a calibrated network."""
        return confidence_of(self.posterior)

    @property
    def unit(self) -> float:
        """Units of the generator in one degree of the window."""
        return self.axis.window / EDGE / self.order / self.axis.generator.per_unit

    @property
    def is_flat(self) -> bool:
        """Whether nothing tells poses apart on held-out examples."""
        return self.order == 1 and self.fit.is_flat

    @property
    def can_learn(self) -> bool:
        """Whether the network can tell poses of these data at all: without that, a flat law means nothing."""
        return not self.control < LEARNED

    @property
    def is_rejected(self) -> bool:
        """Whether the poses are not those of one uniform law with noise; the half-width is the extent of the free
        law.
        """
        return is_rejected(self.choice)

    @property
    def least_p(self) -> float:
        """Smallest p-value of the closure tests at an eighth, a quarter and half of the window, times their number."""
        return least_p(self.posterior, self.fold, self.axis.closed)

    @property
    def bound(self) -> float:
        """Upper bound of the half-width of a uniform law, from the perplexity of held-out examples."""
        middle = self.posterior.shape[1] // 2
        density = self.posterior[:, middle].clamp(min=1e-6) / float(self.axis.offsets[1] - self.axis.offsets[0])
        half = 0.5 * math.exp(-float(density.log().mean())) / self.axis.generator.per_unit
        return min(half, self.axis.window / self.axis.generator.per_unit)

    def modes(self) -> list[tuple[float, float]]:
        """Position, in the unit of the generator, and mass of each mode: of several that are preferred, else of the
        non-parametric law.
        """
        own = self.choice.positions if self.choice.form == "several modes" else self.deconvolution.modes()
        turn = 2 * EDGE
        every = [(c + k * turn, m / self.order) for k in range(self.order) for c, m in own]
        span = self.order * turn
        wrapped = [((c + span / 2) % span - span / 2, m) for c, m in every]
        return sorted((c * self.unit, m) for c, m in wrapped)

    def closure(self, offset: float) -> Closure:
        """Whether examples moved by `offset` (in the unit of the generator) are told from those that are not.

        Raises:
            ValueError: when the offset is not positive or outside of the window.
        """
        step = float(self.axis.offsets[1] - self.axis.offsets[0]) / self.axis.generator.per_unit
        shift, most = round(offset / step), self.posterior.shape[1] // 2
        if not 0 < shift <= most:
            raise ValueError(f"offset: got {offset}, must be in ({step / 2:.3g}, {most * step:.3g}]")
        return closure_at(self.posterior, self.fold, shift, self.axis.closed)

    def grid(self) -> tuple[list[float], list[float], list[float]]:
        """Poses in the unit of the generator, density of the non-parametric law, density of the fitted one."""
        x = torch.from_numpy(cell_centres())
        free = self.deconvolution.smooth
        fitted = self._fitted(max(self.deconvolution.noise / 2, 2.0))
        if self.order > 1:
            # one period after the other fills the circle
            shifts = 2 * EDGE * (torch.arange(self.order) - (self.order - 1) / 2)
            x = (x + shifts[:, None]).flatten()
            free, fitted = free.repeat(self.order), fitted.repeat(self.order)
            if self.order % 2 == 0:
                x, free, fitted = _centred(x, free, fitted, len(free) // self.order // 2)
        scale = (x[1] - x[0]) * self.unit
        return (x * self.unit).tolist(), (free / free.sum() / scale).tolist(), (fitted / fitted.sum() / scale).tolist()

    def _fitted(self, noise: float) -> Float[Tensor, "C"]:
        shape = "normal" if self.choice.form == "normal" else "uniform"
        share, narrow = self.inner
        widths, scale = np.array([self.half_width, narrow]) / self.unit, np.array([noise])
        wide, near = torch.from_numpy(cell_probabilities(shape, widths, "normal", scale, self.axis.closed)[:, 0])
        one = (1 - share) * wide + share * near
        cells = [round(place * len(one) / (2 * EDGE)) for place, _ in self.choice.positions]
        return torch.stack([mass * one.roll(c) for c, (_, mass) in zip(cells, self.choice.positions, strict=True)]).sum(
            0
        )

    @property
    def flags(self) -> list[str]:
        """What a reader of the half-width must know, one sentence each."""
        return [sentence for _, sentence in _doubts(self)]

    @property
    def status(self) -> Status:
        """Whether the half-width can be trusted."""
        statuses: list[Status] = [status for status, _ in _doubts(self) if status != "ok"]
        return statuses[0] if statuses else "ok"

    @property
    def reason(self) -> str:
        """Why it cannot; empty when it can."""
        return next((sentence for status, sentence in _doubts(self) if status != "ok"), "")

    @property
    def facts(self) -> dict[str, float]:
        """The numbers behind the flags."""
        return {
            "examples": float(len(self.posterior)),
            "standard_deviation": self.sd,
            "response": self.response,
            "extent_90": self.extent,
            **{f"evidence_{form.replace(' ', '_')}": value for form, value in self.choice.evidence.items()},
            "noise": self.fit.noise * self.unit,
            "outliers": self.fit.outliers,
            "flipped": self.fit.flipped,
            "order": float(self.order),
            "evidence": self.fit.evidence,
            "perplexity_bound": self.bound,
            "advantage_of_free_law": self.deconvolution.advantage,
            "least_p_closed": self.least_p,
            "confidence": self.confidence,
            "narrow_share": self.inner[0],
            "narrow_half_width": self.inner[1],
            **({"control_gain": self.control} if self.is_flat else {}),
        }

    def degrees(self, data: str = "") -> list[Degree]:
        """The half-width as a degree of distribution symmetry; for a law of order N also its closure under 1/N turn."""
        degrees = [self._degree("", self.half_width, self.low, self.high, self.axis.generator.unit, data)]
        if self.order > 1:
            turn = 2 * self.axis.window / self.order / self.axis.generator.per_unit
            closed = self.closure(turn).degree
            degrees.append(self._degree(f" by {turn:g}", closed, None, None, "1", data))
        return degrees

    def _degree(
        self, suffix: str, estimate: float, low: float | None, high: float | None, unit: str, data: str
    ) -> Degree:
        return Degree(
            site="input",
            group=self.axis.symmetry.name,
            generator=self.axis.generator.name + suffix,
            unit=unit,
            notion="distribution",
            estimate=estimate,
            low=low,
            high=high,
            level=self.level,
            method="pose posterior" if self.order == 1 else f"pose posterior modulo 1/{self.order} turn",
            data=data,
            status=self.status,
            reason=self.reason,
        )


def _centred(x: Tensor, free: Tensor, fitted: Tensor, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    # with an even number of periods the middle of the circle is the border of two
    return x, free.roll(cells), fitted.roll(cells)


def _doubts(law: PosePosterior) -> Iterator[tuple[Status, str]]:
    unit, cap = law.axis.generator.unit, law.axis.window / law.axis.generator.per_unit
    if law.left_out:
        yield "ok", _taken(len(law.posterior), law.left_out)
    if law.is_least:
        direction = "edges lie along one direction more than along others, so that it is not full"
        yield "bound only", f"the law may be wider: without one cue, {law.cue}, no poses are read, but {direction}"
    elif law.cue:
        yield "ok", f"a cue tells poses, {law.cue}, which gives {law.with_cue:.3g} {unit}; this is the law without it"
    if law.is_flat:
        yield _flat(law, cap)
        return
    if law.order > 1:
        yield "ok", f"closed under {2 * cap / law.order:g} {unit}: the half-width is that of each of {law.order} modes"
    if law.is_rejected:
        yield "rejected", f"fit rejected: poses are neither uniform nor normal; modes of the free law at {_modes(law)}"
    elif law.form == "several modes":
        yield "ok", f"several modes, at {_modes(law)}: the half-width is that of each"
    elif law.form == "two ranges":
        yield "ok", _two_ranges(law)
    if law.fitted[1] <= 0:
        yield "bound only", f"not told from the natural spread of poses, {law.fit.noise * law.unit:.2g} {unit}"
    if law.is_cut or law.fitted[2] >= cap / law.order:
        yield "bound only", _wide(law, cap)
    if law.fit.flipped > FLIPPED:
        share = f"{law.fit.flipped:.0%} of the examples are read half a turn off"
        yield "ok", f"{share}: objects that look alike upside down"
    if law.form != "two ranges" and law.half_width > law.bound * 1.1:
        yield "rejected", f"above the perplexity bound, {law.bound:.3g} {unit}: the network is not calibrated"


def _taken(taken: int, left_out: int) -> str:
    every = taken + left_out
    wider = math.sqrt(every / taken)
    few = f"what their number adds to the uncertainty is {wider:.2g} times that of all"
    return f"{taken:,} of {every:,} examples were taken, at random: {few}; examples=None takes all"


def _modes(law: PosePosterior) -> str:
    return ", ".join(f"{c:.3g} ({m:.0%})" for c, m in law.modes())


def _two_ranges(law: PosePosterior) -> str:
    share, narrow = law.inner
    within = f"are within {narrow:.3g} {law.axis.generator.unit}" if narrow else "have one pose"
    return f"two ranges about one middle: {share:.0%} of the examples {within}; the half-width is that of the others"


def _flat(law: PosePosterior, cap: float) -> tuple[Status, str]:
    if not law.can_learn:
        few = "the network does not tell poses even of a few examples known by heart"
        return "cannot be learned", f"cannot learn: {few}, so nothing follows"
    if law.fit.told_apart:
        gap = "the law leaves a gap too small to measure"
        return "bound only", f"nearly full group: {gap} (closure test, p = {law.least_p:.1g})"
    if not law.axis.closed:
        unit = law.axis.generator.unit
        return (
            "bound only",
            f"no end is seen: poses are alike over the whole window of {cap:.3g} {unit}; try larger moves",
        )
    return "ok", "full group: the network can learn poses, and learns none that hold for other examples"


def _wide(law: PosePosterior, cap: float) -> str:
    unit = law.axis.generator.unit
    if law.axis.closed:
        return f"nearly full: the gap that a law beyond {law.fitted[1]:.3g} {unit} leaves is hardly seen"
    return f"the law is wide for the window of {cap:.3g} {unit}, which makes it look narrower; try larger moves"
