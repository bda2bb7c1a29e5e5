"""The widths of augmentation that labels tolerate.

Legend of axes: `W` widths, `R` replicates (seeds), `N` held-out examples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from statistics import NormalDist
from typing import Any

from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.statistics import LEVEL, Interval

NOISE = 1.645
"""Standard errors that count as noise: one side of a 90 % interval."""
MARGIN = 0.003
"""Harm in nats that counts as none."""


@dataclass(frozen=True, kw_only=True)
class TaskExtent:
    """Held-out loss over widths: the excess over the best one with its standard error, and the widths within noise.

    Example:
        >>> losses = torch.tensor([[1.0, 1.2, 0.9], [0.5, 0.6, 0.4], [0.5, 0.6, 0.41]])
        >>> print(ls.measure.task_extent(losses, [0.0, 30.0, 60.0]))
        {30, 60} of {0, 30, 60} tried, 1 replicate
    """

    widths: list[float]
    excess: list[float]
    """Mean loss minus that of the best width."""
    stderr: list[float]
    """Standard error of the excess, paired over examples, with the spread over replicates when there are several."""
    tolerated: list[float]
    """Widths whose excess is within noise of zero."""
    best: float
    replicates: int
    """Trainings at each width."""

    def __str__(self) -> str:
        count = f"{self.replicates} replicate{'' if self.replicates == 1 else 's'}"
        return f"{as_set(self.tolerated)} of {as_set(self.widths)} tried, {count}"

    def ends(self) -> tuple[float, float]:
        """Between which widths the tolerated ones end: the nearest excluded ones, or where the grid ends."""
        low, high = min(self.tolerated), max(self.tolerated)
        below = [width for width in self.widths if width < low]
        above = [width for width in self.widths if width > high]
        return max(below, default=low), min(above, default=high)

    def doubt(self, cap: float = math.inf) -> str:
        """Why the ends of the set are not its extent, up to `cap`; empty when they are."""
        low, high = min(self.tolerated), max(self.tolerated)
        reasons = {"widths between them are excluded": len(together(self.widths, self.tolerated)) > 1}
        reasons |= self._unknown(high == max(self.widths), low == min(self.widths), cap)
        held = [reason for reason, holds in reasons.items() if holds]
        return f"{self}; {', '.join(held)}" if held else ""

    def _unknown(self, no_end_above: bool, no_end_below: bool, cap: float) -> dict[str, bool]:
        low, high = min(self.widths), max(self.widths)
        return {
            "the spread over trainings is unknown": self.replicates == 1,
            f"no width above {high:g} was tried": no_end_above and high < cap,
            f"no width below {low:g} was tried": no_end_below and low > 0,
        }

    def harmless(self, margin: float = MARGIN, level: float = LEVEL) -> Interval:
        """Up to which width augmentation does no harm: an excess of at most `margin` over the best width.

        Widths are looked at from the best one upwards, since smaller ones are worse where the data ask for more. The
        estimate is the last one of excess `margin` at most. Harm begins slowly: where a symmetry ends between two
        widths, the second may show none. So `low` is the width before the last one that is surely harmless, and `high`
        is the first of those at the end of the grid that all surely do harm, the last of the grid where none does.
        "Surely" is by a one-sided test at `(1 - level) / 2`, 1.645 standard errors at 90 %; widths are tested in a
        fixed order, each end as long as the tests agree, so that no correction for their number is needed. What wider
        augmentation costs because it takes more steps to learn is harm, too: train as long as losses fall.

        Args:
            margin: excess that counts as none, in the unit of the losses.
            level: of the interval.

        Raises:
            ValueError: when the margin is not positive, or the level not between 0 and 1.

        Example:
            >>> losses = torch.tensor([[0.5, 0.6, 0.4], [0.5, 0.6, 0.401], [1.0, 1.1, 0.9]])
            >>> ls.measure.task_extent(losses, [0.0, 30.0, 60.0]).harmless()
            Interval(estimate=30.0, low=0.0, high=60.0, level=0.9)
        """
        if not margin > 0:
            raise ValueError(f"margin: got {margin}, must be positive; take {MARGIN} for losses in nats")
        if not 0 < level < 1:
            raise ValueError(f"level: got {level}, must lie between 0 and 1; take {LEVEL}")
        harmless, harmful = self._surely(margin, level)
        upwards = takewhile(lambda row: row[1] <= margin, self._from_best())
        widths = sorted(self.widths)
        low = widths[max(widths.index(harmless[-1]) - 1, 0)]
        estimate, high = [width for width, *_ in upwards][-1], min(harmful, default=widths[-1])
        return Interval(estimate=estimate, low=low, high=high, level=level)

    def _from_best(self) -> list[tuple[float, float, float]]:
        """Width, excess and standard error, of the best width and of all larger ones."""
        rows = sorted(zip(self.widths, self.excess, self.stderr, strict=True))
        return [row for row in rows if row[0] >= self.best]

    def _surely(self, margin: float, level: float) -> tuple[list[float], list[float]]:
        """The widths from the best one upwards that surely do no harm, and those from the largest downwards that do."""
        rows, noise = self._from_best(), NormalDist().inv_cdf((1 + level) / 2)
        harmless = takewhile(lambda row: row[1] + noise * row[2] <= margin, rows)
        harmful = takewhile(lambda row: row[1] - noise * row[2] > margin, reversed(rows))
        return [width for width, *_ in harmless], [width for width, *_ in harmful]

    def degree(
        self,
        *,
        group: str,
        generator: str = "rotation",
        unit: str = "degree",
        data: str = "",
        cap: float = math.inf,
    ) -> Degree:
        """The best width, between the excluded widths next to the tolerated ones: the set ends somewhere before them.

        Args:
            group: that the generator belongs to.
            generator: whose half-width was varied.
            unit: of the widths.
            data: label of the data.
            cap: the largest half-width that makes sense, such as 180 degrees.

        Returns:
            A degree that is `bound only`, with its reason, where the ends of the set are not known: for one replicate,
            a set with gaps, or one that reaches the end of the grid.
        """
        low, high = self.ends()
        ends = {"low": low, "high": high} if low < high else {}
        said = {"group": group, "generator": generator, "unit": unit, "data": data}
        return _degree(self.best, method="held-out loss", doubt=self.doubt(cap), **ends, **said)

    def harmless_degree(
        self,
        *,
        group: str,
        margin: float = MARGIN,
        level: float = LEVEL,
        generator: str = "rotation",
        unit: str = "degree",
        data: str = "",
        cap: float = math.inf,
    ) -> Degree:
        """Up to which width augmentation does no harm, see `harmless`; arguments as those of `degree`.

        Returns:
            A degree that is `bound only`, with its reason, where an end is not known: for one replicate, and where the
            grid ends before any harm is seen.
        """
        found, (harmless, harmful) = self.harmless(margin, level), self._surely(margin, level)
        low, high = found.ends
        unknown = self._unknown(not harmful, harmless == [min(self.widths)], cap)
        held = [reason for reason, holds in unknown.items() if holds]
        said = {"group": group, "generator": generator, "unit": unit, "data": data}
        ends = {"low": low, "high": high, "level": level}
        return _degree(found.estimate, method="harmless augmentation", doubt=", ".join(held), **ends, **said)


def _degree(estimate: float, *, doubt: str, **said: Any) -> Degree:  # noqa: ANN401  fields of a degree
    status = "bound only" if doubt else "ok"
    return Degree(site="input", notion="task", estimate=estimate, status=status, reason=doubt, **said)


def together(widths: Sequence[float], tolerated: Sequence[float]) -> list[list[float]]:
    """Tolerated widths in groups of neighbours on the grid: more than one group when others lie between them.

    Example:
        >>> from learnsym.measure.task_extent import together
        >>> together([0.0, 30.0, 60.0, 90.0], [0.0, 60.0, 90.0])
        [[0.0], [60.0, 90.0]]
    """
    groups = groupby(sorted(widths), key=set(tolerated).__contains__)
    return [list(group) for inside, group in groups if inside]


def as_set(widths: Sequence[float]) -> str:
    """`{0, 30}`."""
    return "{" + ", ".join(f"{width:g}" for width in sorted(widths)) + "}"


def task_extent(losses: Float[Tensor, "W *R N"], widths: Sequence[float]) -> TaskExtent:
    """The set of widths whose held-out loss is within noise of the best.

    Labels are silent between the extent of the data and about twice that extent, so a single best width means little
    and the set is the answer. A width belongs to it when the mean difference from the best width is below 1.645
    standard errors; differences are paired over examples, and the spread over replicates is added when there are any.

    Args:
        losses: loss of each held-out example `(W, N)`, or `(W, R, N)` with replicates, after training with each width.
        widths: the `W` half-widths, in the unit of the generator.

    Raises:
        ValueError: when shapes do not fit or a loss is not finite.

    Example:
        >>> losses = torch.tensor([[1.0, 1.2, 0.9], [0.5, 0.6, 0.4], [0.5, 0.6, 0.41]])
        >>> ls.measure.task_extent(losses, [0.0, 30.0, 60.0]).tolerated
        [30.0, 60.0]
    """
    _check(losses, widths)
    table = (losses if losses.dim() == 3 else losses[:, None]).double()
    best = int(table.mean((1, 2)).argmin())
    difference = table - table[best]
    excess, stderr = difference.mean((1, 2)), _stderr(difference)
    within = (excess <= NOISE * stderr).tolist()
    return TaskExtent(
        widths=[float(width) for width in widths],
        excess=excess.tolist(),
        stderr=stderr.tolist(),
        tolerated=[float(width) for width, inside in zip(widths, within, strict=True) if inside],
        best=float(widths[best]),
        replicates=table.shape[1],
    )


def _stderr(difference: Float[Tensor, "W R N"]) -> Float[Tensor, "W"]:
    _, replicates, examples = difference.shape
    variance = difference.mean(1).var(1) / examples
    if replicates > 1:
        variance = variance + difference.mean(2).var(1) / replicates
    return variance.sqrt()


def _check(losses: Tensor, widths: Sequence[float]) -> None:
    if losses.dim() not in (2, 3) or len(losses) != len(widths) or losses.shape[-1] < 2:
        raise ValueError(
            f"losses: got shape {tuple(losses.shape)} for {len(widths)} widths, must be (widths, examples) or "
            "(widths, replicates, examples) with at least 2 examples"
        )
    if not losses.isfinite().all():
        raise ValueError("losses: some are not finite; leave out the widths whose training diverged")
