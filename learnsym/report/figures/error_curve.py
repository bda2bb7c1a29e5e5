"""Figure: equivariance error along a generator, or at each element of a finite group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from learnsym.report.figures.style import MUTED, SERIES, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def error_curve(
    labels: Sequence[str],
    errors: Sequence[float],
    stderrs: Sequence[float],
    floors: Sequence[float],
    ax: Axes,
    joined: bool = True,
    xlabel: str = "",
) -> Axes:
    """Relative error at each element with its standard error, above what interpolation alone makes.

    Elements along a generator are `joined`, those of a finite group are not neighbours.
    """
    places = range(len(labels))
    ax.bar(places, floors, width=0.8, color=MUTED, alpha=0.2, linewidth=0, label="interpolation")
    line = {"linestyle": "-" if joined else "none", "marker": "o", "markersize": 4, "capsize": 2}
    ax.errorbar(places, errors, yerr=stderrs, color=SERIES[0], label="model", **line)
    step = max(1, len(labels) // 6)
    ax.set_xticks(list(places)[::step], list(labels)[::step], rotation=0 if joined else 20, fontsize=8)
    ax.set_ylim(bottom=0.0)
    ax.set(xlabel=xlabel, ylabel="relative error")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=1.8)
    return tidy(ax)
