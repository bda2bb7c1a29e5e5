"""Figure: inferred half-width of each generator, both notions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from learnsym.degrees import Degree
from learnsym.report import words
from learnsym.report.figures.style import INK, NOTION_COLOURS, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOK = {
    "augerino": ("o", "learned (task)"),
    "augerino, validation": ("o", "learned (task)"),
    "held-out loss": ("s", "tolerated (task)"),
    "pose posterior": ("D", "poses (distribution)"),
}


def half_widths(degrees: Sequence[Degree], caps: dict[str, float], ax: Axes) -> Axes:
    """Half-width of each generator as a fraction of the largest possible, with its interval; values in units."""
    ticks: dict[str, float] = {}
    height = 0.0
    for name in (name for name in caps if any(degree.generator == name for degree in degrees)):
        found = [degree for degree in degrees if degree.generator == name]
        ticks[name.replace("_", " ")] = height + (len(found) - 1) / 2
        for degree in found:
            _mark(degree, caps[name], height, ax)
            height += 1.0
        height += 0.6
    ax.set_yticks(list(ticks.values()), list(ticks))
    ax.set(ylim=(height - 0.8, -0.8), xlim=(-0.02, 1.02), xlabel="half-width / largest possible")
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    ax.legend(
        unique.values(),
        unique.keys(),
        loc="lower center",
        bbox_to_anchor=(0.36, 1.0),
        ncols=3,
        handletextpad=0.3,
        columnspacing=1.0,
    )
    return tidy(ax, "x")


def _mark(degree: Degree, cap: float, height: float, ax: Axes) -> None:
    marker, label = _LOOK.get(degree.method, ("o", degree.method.replace("_", " ")))
    colour = NOTION_COLOURS[degree.notion]
    low = degree.estimate if degree.low is None else degree.low
    high = degree.estimate if degree.high is None else degree.high
    ax.plot([low / cap, high / cap], [height, height], color=colour, linewidth=2.2, alpha=0.45, solid_capstyle="round")
    ax.plot([degree.estimate / cap], [height], marker, color=colour, markersize=5.5, label=label, linestyle="none")
    right = high / cap < 0.72
    ax.annotate(
        words.number(degree.estimate, degree.unit).removesuffix(" image width").removesuffix(" log"),
        (high / cap if right else low / cap, height),
        xytext=(7 if right else -7, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=8,
        color=INK,
    )
