"""The widths of augmentation that labels tolerate.

Legend of axes: `W` widths, `R` replicates (seeds), `N` held-out examples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree

NOISE = 1.645
"""Standard errors that count as noise: one side of a 90 % interval."""


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
        reasons = {
            "the spread over trainings is unknown": self.replicates == 1,
            "widths between them are excluded": len(together(self.widths, self.tolerated)) > 1,
            f"no width above {high:g} was tried": high == max(self.widths) and high < cap,
            f"no width below {low:g} was tried": low == min(self.widths) and low > 0,
        }
        held = [reason for reason, holds in reasons.items() if holds]
        return f"{self}; {', '.join(held)}" if held else ""

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
        doubt, (low, high) = self.doubt(cap), self.ends()
        return Degree(
            site="input",
            group=group,
            generator=generator,
            unit=unit,
            notion="task",
            estimate=self.best,
            low=low if low < high else None,
            high=high if low < high else None,
            method="held-out loss",
            data=data,
            status="bound only" if doubt else "ok",
            reason=doubt,
        )


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
