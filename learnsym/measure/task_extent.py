"""The widths of augmentation that labels tolerate.

Legend of axes: `W` widths, `R` replicates (seeds), `N` held-out examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree

NOISE = 1.645
"""Standard errors that count as noise: one side of a 90 % interval."""


@dataclass(frozen=True, kw_only=True)
class TaskExtent:
    """Held-out loss over widths: the excess over the best one with its standard error, and the widths within noise."""

    widths: list[float]
    excess: list[float]
    """Mean loss minus that of the best width."""
    stderr: list[float]
    """Standard error of the excess, paired over examples, with the spread over replicates when there are several."""
    tolerated: list[float]
    """Widths whose excess is within noise of zero."""
    best: float

    def degree(self, *, group: str, generator: str = "rotation", unit: str = "degree", data: str = "") -> Degree:
        """The degree: the best width, between the smallest and the largest width within noise of it."""
        return Degree(
            site="input",
            group=group,
            generator=generator,
            unit=unit,
            notion="task",
            estimate=self.best,
            low=min(self.tolerated),
            high=max(self.tolerated),
            method="held-out loss",
            data=data,
        )


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
