"""Figure: how much each candidate symmetry weighs in the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from learnsym.degrees import Degree
from learnsym.report.figures.style import NOTION_COLOURS, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def candidate_weights(degrees: Sequence[Degree], ax: Axes) -> Axes:
    """One row a candidate: where its learned weight lies between ruled out (0) and kept (1), with its interval."""
    rows = range(len(degrees))
    low = [degree.estimate if degree.low is None else max(degree.low, 0.0) for degree in degrees]
    high = [degree.estimate if degree.high is None else min(degree.high, 1.0) for degree in degrees]
    ax.hlines(rows, low, high, color=NOTION_COLOURS["task"], linewidth=2.2, alpha=0.45)
    ax.plot([degree.estimate for degree in degrees], rows, "o", color=NOTION_COLOURS["task"], markersize=6)
    ax.set_yticks(rows, [degree.generator.replace("_", " ") for degree in degrees])
    ax.invert_yaxis()
    ax.margins(y=0.15)
    ax.set(xlabel="weight (0: ruled out, 1: kept)", xlim=(-0.04, 1.04))
    return tidy(ax)
