"""Figure: held-out loss over widths of augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.style import NOTION_COLOURS, tidy
from learnsym.report.results import ExtentCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def task_extent(extent: ExtentCurve, ax: Axes) -> Axes:
    """Excess validation loss over the best width with one standard error; those within noise of it are filled."""
    colour = NOTION_COLOURS["task"]
    widths, excess, stderr = (np.asarray(values) for values in (extent.widths, extent.excess, extent.stderr))
    low, high = min(extent.tolerated), max(extent.tolerated)
    pad = 0.012 * (widths.max() - widths.min() or 1.0)
    ax.axvspan(low - pad, high + pad, color=colour, alpha=0.1, linewidth=0)
    ax.axhline(0, color="#9AA5B1", linewidth=0.8)
    ax.plot(widths, excess, color=colour, linewidth=1.2, alpha=0.7)
    ax.errorbar(widths, excess, yerr=stderr, color=colour, fmt="none", capsize=2.5, linewidth=1.2)
    inside = np.isin(widths, extent.tolerated)
    ax.scatter(
        widths[~inside],
        excess[~inside],
        s=34,
        facecolor="white",
        edgecolor=colour,
        zorder=3,
        label="worse than the best",
    )
    ax.scatter(widths[inside], excess[inside], s=34, color=colour, zorder=3, label="within noise of the best")
    ax.set_ylabel("excess validation loss (nats)")
    ax.set_xlabel(f"half-width of random {extent.generator} ({extent.unit})")
    if extent.unit == "degree":
        ax.set_xticks([tick for tick in (0, 30, 60, 90, 135, 180) if tick <= max(widths.max(), 30)])
        ax.xaxis.set_major_formatter("{x:.0f}°")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handletextpad=0.2, columnspacing=1.0)
    return tidy(ax)
