"""Figure: the law of poses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.style import INK, NOTION_COLOURS, tidy
from learnsym.report.results import PoseLaw

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pose_law(law: PoseLaw, ax: Axes) -> Axes:
    """Density of poses: the non-parametric estimate as bars, the fitted law as a line, the inferred range below."""
    colour = NOTION_COLOURS["distribution"]
    grid, density = np.asarray(law.grid), np.asarray(law.density)
    width = grid[1] - grid[0] if len(grid) > 1 else 1.0
    if law.density:
        ax.bar(grid, density, width=0.92 * width, color=colour, alpha=0.32, linewidth=0, label="non-parametric")
    elif law.fitted:
        ax.fill_between(grid, law.fitted, color=colour, alpha=0.18, linewidth=0)
    if law.fitted:
        ax.plot(grid, law.fitted, color=colour, label="fitted law")
    top = max([*law.density, *law.fitted, 1e-9])
    _range(law, ax, -0.09 * top)
    ax.set(
        xlim=(-law.cap, law.cap),
        ylim=(-0.16 * top, (1.05 if law.density else 1.7) * top),
        yticks=[],
        ylabel="density of poses",
    )
    ax.set_xlabel(f"{law.generator.replace('_', ' ')} ({law.unit})")
    if law.unit == "degree":
        ax.set_xticks([-180, -90, 0, 90, 180])
        ax.xaxis.set_major_formatter("{x:.0f}°")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1.4, columnspacing=1.2)
    tidy(ax, "x")
    ax.spines["left"].set_visible(False)
    return ax


def _range(law: PoseLaw, ax: Axes, height: float) -> None:
    estimate, low, high = law.half_width.estimate, law.half_width.low, law.half_width.high
    if low is not None and high is not None:
        ax.plot([-high, high], [height, height], color=INK, linewidth=3, alpha=0.25, solid_capstyle="butt")
        ax.plot([-low, low], [height, height], color="white", linewidth=4, solid_capstyle="butt")
    ax.plot(
        [-estimate, estimate], [height, height], color=INK, linewidth=1.4, marker="|", markersize=8, label="half-width"
    )
