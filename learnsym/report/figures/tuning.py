"""Figures: the trials of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.axes import log_axis, short
from learnsym.report.figures.style import MUTED, SERIES, label_of, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 20.0
"""Positive values whose largest is more than this times the smallest are on a logarithmic axis."""
LARGE = 1e4
"""Values from here on have prefixes."""
BEST, OTHER = SERIES[1], SERIES[0]


def history(
    numbers: Sequence[int], values: Sequence[float], without: Sequence[int], smaller: bool, ylabel: str, ax: Axes
) -> Axes:
    """Each trial by its number, and the best so far as a line; ticks below are trials without a value.

    Args:
        numbers: of the complete trials, (T,).
        values: of the objective, (T,).
        without: numbers of the trials that were pruned or failed.
        smaller: whether less is better.
        ylabel: name of the objective.
        ax: where to draw.
    """
    so_far = (np.minimum if smaller else np.maximum).accumulate(np.array(values))
    ax.step([*numbers, max([*numbers, *without])], [*so_far, so_far[-1]], where="post", color=BEST, label="best so far")
    ax.plot(numbers, values, "o", color=OTHER, markersize=4, alpha=0.7, markeredgewidth=0, label="trial")
    ax.set(xlabel="trial", ylabel=ylabel)
    _value_axis(values, ax)
    if without:
        _rug(without, ax)
    ax.legend(loc="lower center", bbox_to_anchor=(0.46, 1.0), ncols=3, handlelength=1.6, columnspacing=1.2)
    return tidy(ax)


def _rug(numbers: Sequence[int], ax: Axes) -> None:
    """Marks at the lower edge of the panel."""
    ax.plot(
        numbers, [0.02] * len(numbers), "|", transform=ax.get_xaxis_transform(), color=MUTED, label="without a value"
    )


def slice_of(
    settings: Sequence[float] | Sequence[str],
    values: Sequence[float],
    best: int,
    log: bool,
    names: tuple[str, str],
    ax: Axes,
) -> Axes:
    """The objective against one key, over all trials, whatever their other keys are; the best trial stands out.

    Args:
        settings: values of the key, (T,); words for choices.
        values: of the objective, (T,).
        best: the place of the best trial.
        log: whether the key is spread evenly in its logarithm.
        names: of the key and of the objective.
        ax: where to draw.
    """
    kinds = list(dict.fromkeys(sorted(map(str, settings)))) if isinstance(settings[0], str) else []
    x = [float(kinds.index(str(value))) if kinds else float(value) for value in settings]
    ax.plot(x, values, "o", color=OTHER, markersize=4.5, alpha=0.6, markeredgewidth=0)
    ax.plot(x[best : best + 1], values[best : best + 1], "D", color=BEST, markersize=6)
    if kinds:
        ax.set_xticks(range(len(kinds)), [label_of(kind if len(kind) < 12 else f"{kind[:11]}…") for kind in kinds])
        ax.set_xlim(-0.5, len(kinds) - 0.5)
    elif log:
        ax.set_xscale("log")
    ax.set(xlabel=names[0], ylabel=names[1])
    _value_axis(values, ax)
    return tidy(ax)


def importances(shares: Mapping[str, float], ax: Axes) -> Axes:
    """How much of the variance of the objective each key accounts for, the largest on top."""
    ordered = sorted(shares.items(), key=lambda pair: pair[1])
    ax.barh(range(len(ordered)), [100 * share for _, share in ordered], color=OTHER, height=0.6)
    ax.set_yticks(range(len(ordered)), [label_of(key) for key, _ in ordered])
    ax.set(xlabel="share of the variance (%)", xlim=(0, 100))
    return tidy(ax, grid="x")


def front(
    all_points: Sequence[tuple[float, float]], best: Sequence[tuple[float, float]], names: tuple[str, str], ax: Axes
) -> Axes:
    """Two objectives against each other; the trials that no other beats in all objectives stand out."""
    ax.plot(
        *zip(*all_points, strict=True), "o", color=OTHER, markersize=4.5, alpha=0.5, markeredgewidth=0, label="trial"
    )
    ax.plot(*zip(*sorted(best), strict=True), "D", color=BEST, markersize=5.5, label="not beaten in all objectives")
    ax.set(xlabel=names[0], ylabel=names[1])
    if _wide([x for x, _ in all_points]):
        ax.set_xscale("log")
    _value_axis([y for _, y in all_points], ax)
    ax.legend(loc="lower center", bbox_to_anchor=(0.46, 1.0), ncols=2, handlelength=1.2)
    return tidy(ax)


def _value_axis(values: Sequence[float], ax: Axes) -> None:
    if _wide(values):
        log_axis(ax)
    elif max(values) >= LARGE:
        ax.yaxis.set_major_formatter(lambda value, _: short(value))


def _wide(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) > WIDE * min(values)
