"""Figures: what training logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.style import DASHES, SERIES, TWIN_COLOURS, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from learnsym.report.run.results import History, TwinResult


def loss_curves(twins: Iterable[TwinResult], ax: Axes, key: str = "val/task") -> Axes:
    """Validation loss over steps: one thin line a seed, one thick line for their mean."""
    unit, twins = "nats", list(twins)
    logged = [value for twin in twins for history in twin.histories for value in history.values.get(key, [])]
    scale = "log" if min(logged, default=1.0) > 0 else "linear"  # a likelihood may have either sign
    for twin in twins:
        colour, dash = TWIN_COLOURS.get(twin.name), DASHES.get(twin.name, "-")
        unit = "nats" if twin.score == "accuracy" else twin.score.rpartition(", ")[2]  # of "score, unit"
        _replicates(twin.histories, key, ax, label=twin.name, color=colour, linestyle=dash)
    ax.set(xlabel="training step", ylabel=f"validation loss ({unit})", yscale=scale)
    ax.yaxis.set_major_formatter("{x:.3g}")
    if scale == "log":
        ax.yaxis.set_minor_formatter(lambda value, _: f"{value:.1g}" if f"{value:.0e}"[0] in "25" else "")
    ax.tick_params(axis="y", which="minor", labelsize=8)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, handlelength=1.8, columnspacing=1.2)
    tidy(ax)
    ax.grid(True, axis="y", which="minor", linewidth=0.5)
    return ax


def width_curves(histories: Sequence[History], caps: dict[str, float], ax: Axes) -> Axes:
    """Learned half-widths over steps, as a fraction of each generator's cap: one line a seed and generator."""
    for (generator, cap), colour in zip(caps.items(), SERIES, strict=False):
        label = generator.replace("_", " ")
        _replicates(histories, f"half_width/{generator}", ax, scale=1 / cap, label=label, color=colour)
    ax.set(xlabel="training step", ylabel="half-width / largest possible")
    ax.set_ylim(bottom=0.0)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1.2, columnspacing=1.2)
    return tidy(ax)


def _replicates(
    histories: Iterable[History],
    key: str,
    ax: Axes,
    *,
    label: str,
    color: str | None,
    scale: float = 1.0,
    linestyle: object = "-",
) -> None:
    logged = [
        (history.steps[key], scale * np.asarray(history.values[key])) for history in histories if key in history.values
    ]
    if not logged:
        return
    length = min(len(values) for _, values in logged)
    marker = "o" if length == 1 else ""  # a line of one point is not seen
    for steps, values in logged:
        ax.plot(steps, values, color=color, alpha=0.3, linewidth=0.8, marker=marker)
    mean = np.mean([values[:length] for _, values in logged], axis=0)
    look = {"color": color, "linestyle": linestyle, "marker": marker, "label": label}
    ax.plot(logged[0][0][:length], mean, **look)
