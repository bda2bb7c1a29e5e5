"""Axes of figures: ticks where the data are, labels with as many digits as tell them apart, legends over the panel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.style import label_of
from learnsym.report.words import prefixed, tick_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = 7
"""At most as many labels on an axis of data sizes."""
CHARACTERS, LONGEST = 44, 17
"""The number of characters in a row of a legend, and in the longest name that is not shortened."""


def examples_axis(examples: Sequence[float], ax: Axes) -> None:
    """A logarithmic axis whose ticks are the numbers of examples that were tried."""
    tried = sorted(set(examples))
    ax.set(xscale="log", xlabel="training examples")
    gap = math.log(tried[-1] / tried[0]) / LABELS if len(tried) > 1 else 0.0
    shown: list[float] = []
    for value in tried:
        if not shown or math.log(value / shown[-1]) >= 0.9 * gap:
            shown.append(value)
    ax.set_xticks(shown, [short(value) for value in shown])
    ax.set_xticks([value for value in tried if value not in shown], minor=True)
    ax.xaxis.set_minor_formatter("")
    pad = 1.4 if len(tried) == 1 else (tried[-1] / tried[0]) ** 0.04
    ax.set_xlim(tried[0] / pad, tried[-1] * pad)


def log_axis(ax: Axes) -> None:
    """A logarithmic axis of what was drawn, labelled also within a decade where that is all there is."""
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ticks = [float(tick) for tick in _ticks(low, high) if low <= tick <= high]
    ax.set_yticks(ticks, tick_labels(ticks))
    ax.set_yticks([], minor=True)
    ax.set_ylim(low, high)


def _ticks(low: float, high: float) -> np.ndarray:
    from matplotlib.ticker import LogLocator, MaxNLocator

    decades = math.log10(high / low)
    if decades < 0.5:
        return np.asarray(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    subs = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 0.8 else (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)
    return np.asarray(LogLocator(subs=subs, numticks=12).tick_values(low, high))


def compute_axis(ax: Axes) -> None:
    """A logarithmic axis of FLOPs with prefixes."""
    from matplotlib.ticker import LogLocator

    low, high = ax.get_xlim()
    if math.log10(high / low) < 1:
        low, high = low / 1.5, high * 1.5
    ax.set_xlim(low, high)
    decades = math.log10(high / low)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 1.7 else (1.0,), numticks=7))
    ax.xaxis.set_major_formatter(lambda value, _: short(value))
    ax.xaxis.set_minor_formatter("")


def short(value: float) -> str:
    """A count in few characters: `300`, `2.5k`, `1M`."""
    return "".join(prefixed(value))


def legend_above(labels: Sequence[str], ax: Axes) -> None:
    """A legend over the panel, in as many columns as the names leave room for."""
    handles, _ = ax.get_legend_handles_labels()
    columns = math.ceil(len(labels) / legend_rows(labels))
    names = [clipped(label) for label in labels]
    look = {"handlelength": 2.2, "columnspacing": 1.2, "labelspacing": 0.25, "borderaxespad": 0.2}
    ax.legend(handles, names, loc="lower center", bbox_to_anchor=(0.46, 1.0), ncols=columns, **look)


def legend_rows(labels: Sequence[str]) -> int:
    """How many rows `legend_above` needs."""
    widest = max(len(clipped(label)) for label in labels)
    return math.ceil(len(labels) / max(1, min(4, CHARACTERS // (widest + 5))))


def clipped(label: str) -> str:
    """A label that leaves room for others."""
    return label_of(label if len(label) <= LONGEST else label[: LONGEST - 1].rstrip(" ,") + "…")
