"""A posterior over degrees: probabilities of none and of full, intervals, and whether they can be trusted.

Legend of axes: `R` draws, `A` degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.posterior.axes import Axis
from learnsym.posterior.diagnostics import Diagnostics
from learnsym.posterior.shortest import shortest, weighted_median
from learnsym.statistics import LEVEL, Interval

LEFT = 0.01
"""Share of the posterior that is left to what lies between none and full, below which it is no alternative."""
HOLDS = "intervals hold the noise of held-out examples, not of training"


@dataclass(frozen=True, kw_only=True, repr=False)
class DegreePosterior:
    """What held-out examples say about how much of each generator a network should be averaged over.

    Draws have weights; some are exactly 0 and some exactly 1, where the prior has its spikes. See `degree_posterior`.
    """

    group: str
    axes: tuple[Axis, ...]
    draws: Float[Tensor, "R A"]
    """Fractions of the caps."""
    weights: Float[Tensor, "R"]
    """Of sum 1."""
    examples: int
    """Held-out examples."""
    diagnostics: Diagnostics
    level: float = LEVEL

    @property
    def names(self) -> tuple[str, ...]:
        """Of the degrees."""
        return tuple(axis.name for axis in self.axes)

    def none(self) -> dict[str, float]:
        """The probability that each degree is exactly 0."""
        return self._probability(self.draws <= 0)

    def full(self) -> dict[str, float]:
        """The probability that each degree is exactly its cap."""
        return self._probability(self.draws >= 1)

    def mean(self) -> dict[str, float]:
        """The mean of each degree, in its unit."""
        means = (self.weights @ self.draws).tolist()
        return {axis.name: axis.cap * mean for axis, mean in zip(self.axes, means, strict=True)}

    def interval(self, name: str, level: float | None = None) -> Interval:
        """The median of a degree with its interval, in its unit: the shortest one, spikes included.

        It is joined with the shortest interval of the slab alone where that holds 1 % of the posterior, so that it
        hardly depends on how probable the spikes were before: with few examples, a narrow range and none predict
        alike, and the prior would decide. `[0, 0]` says that nothing else is left.

        Raises:
            ValueError: for an unknown name, or a level that is not above a half.
        """
        if name not in self.names:
            raise ValueError(f"name: got {name!r}, must be one of {', '.join(self.names)}")
        level = self.level if level is None else level
        axis = self.axes[self.names.index(name)]
        values = axis.cap * self.draws[:, self.names.index(name)]
        low, high = shortest(values, self.weights, level)
        between = (values > 0) & (values < axis.cap)
        if float(self.weights[between].sum()) >= LEFT:
            low_between, high_between = shortest(values[between], self.weights[between], level)
            low, high = min(low, low_between), max(high, high_between)
        return Interval(estimate=weighted_median(values, self.weights), low=low, high=high, level=level)

    def degrees(self, site: str = "input") -> list[Degree]:
        """One degree per generator: the median and its interval, see `interval`.

        It holds the noise of the held-out examples for a network as it is; trainings from other seeds differ by more.
        Where sampling failed each is `rejected`, with what is wrong.
        """
        return [self._degree(axis, site) for axis in self.axes]

    def _degree(self, axis: Axis, site: str) -> Degree:
        found, doubt = self.interval(axis.name), self.diagnostics.doubt
        return Degree(
            site=site,
            group=self.group,
            generator=axis.name,
            unit=axis.unit,
            notion="task",
            estimate=found.estimate,
            low=found.low,
            high=found.high,
            level=found.level,
            method=f"held-out posterior ({self.diagnostics.method})",
            status="rejected" if doubt else "ok",
            reason=doubt,
        )

    def _probability(self, which: Tensor) -> dict[str, float]:
        return dict(zip(self.names, (self.weights @ which.double()).tolist(), strict=True))

    def __repr__(self) -> str:
        count = f"{self.examples} held-out examples by {self.diagnostics.method}"
        rows = "; ".join(map(self._row, self.axes))
        return f"Degrees of {self.group or 'a group'} from {count}\n{rows}\n{self.diagnostics}; {HOLDS}"

    def _row(self, axis: Axis) -> str:
        found, none, full = self.interval(axis.name), self.none()[axis.name], self.full()[axis.name]
        ends = f"{found.estimate:.3g} {axis.unit} [{found.low:.3g}, {found.high:.3g}] at {found.level:.0%}"
        return f"{axis.name}: {ends}, none {none:.2f}, full {full:.2f}"
