"""Figures: a comparison of arms across data, size and compute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.arms import Look
from learnsym.report.figures.style import INK, SERIES, label_of, tidy
from learnsym.report.words import prefixed, true_minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = 7
"""At most as many labels on an axis of data sizes."""
CHARACTERS, LONGEST = 44, 17
"""The number of characters in a row of a legend, and in the longest name that is not shortened."""


@dataclass(frozen=True, kw_only=True)
class ArmCurve:
    """A quantity of one arm along `x`, with pointwise intervals that are infinite where there is one seed."""

    arm: str
    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


def learning_curves(curves: Sequence[ArmCurve], looks: dict[str, Look], ylabel: str, ax: Axes) -> Axes:
    """A score or loss against the number of training examples: one line an arm with its band."""
    for curve in _side_by_side(curves):
        _line(curve, looks[curve.arm], curve.arm, ax)
    examples_axis([x for curve in curves for x in curve.x], ax)
    ax.set(ylabel=ylabel)
    if "accuracy" in ylabel:
        ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    else:
        _log_axis(ax)
    legend_above([curve.arm for curve in curves], ax)
    return tidy(ax)


def paired_differences(
    curves: Sequence[ArmCurve], looks: dict[str, Look], reference: str, ylabel: str, ax: Axes
) -> Axes:
    """Each arm minus the reference over paired seeds; above 0 the arm is better."""
    ax.axhline(0.0, color=looks[reference].colour, linewidth=1.4)
    for curve in _side_by_side(curves):
        _line(curve, looks[curve.arm], curve.arm, ax)
    examples_axis([x for curve in curves for x in curve.x], ax)
    ax.set(ylabel=ylabel)
    _linear_near_zero(curves, ax)
    ax.yaxis.set_major_formatter(lambda value, _: true_minus(f"{value:.3g}"))
    legend_above([curve.arm for curve in curves], ax)
    return tidy(ax)


def loss_against_compute(curves: Sequence[ArmCurve], looks: dict[str, Look], ax: Axes) -> Axes:
    """Test loss of every cell against the FLOPs of its training; lines join the best ones up to each budget."""
    for curve in curves:
        look = looks[curve.arm]
        ax.plot(curve.x, curve.mean, look.marker, color=look.colour, markersize=3.2, alpha=0.45, markeredgewidth=0)
        best = frontier(curve)
        ax.plot(
            best.x,
            best.mean,
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markersize=5,
            label=label_of(curve.arm),
        )
    ax.set(xscale="log", xlabel="compute of the training (FLOPs)", ylabel="test loss")
    _log_axis(ax)
    _compute_axis(ax)
    legend_above([curve.arm for curve in curves], ax)
    return tidy(ax)


def frontier(curve: ArmCurve) -> ArmCurve:
    """The points with a lower value than all others of no more compute."""
    best: list[int] = []
    for k in np.lexsort((curve.mean, curve.x)).tolist():
        if not best or curve.mean[k] < curve.mean[best[-1]]:
            best.append(k)
    columns = {name: [getattr(curve, name)[k] for k in best] for name in ("x", "mean", "low", "high")}
    return ArmCurve(arm=curve.arm, **columns)


def degrees_by_examples(curves: Sequence[ArmCurve], ylabel: str, ax: Axes) -> Axes:
    """Inferred degrees against the number of training examples: one line a generator with its band."""
    for k, curve in enumerate(curves):
        look = Look(colour=SERIES[k % len(SERIES)], dash="-", marker="os^DvPX"[k % 7])
        _line(curve, look, curve.arm, ax)
    examples_axis([x for curve in curves for x in curve.x], ax)
    ax.set(ylabel=ylabel)
    ax.yaxis.set_major_formatter(lambda value, _: true_minus(f"{value:.3g}"))
    if min(mean for curve in curves for mean in curve.mean) >= 0:
        ax.set_ylim(bottom=0.0)
    legend_above([curve.arm for curve in curves], ax)
    return tidy(ax)


def best_arm_map(
    best: Sequence[tuple[float, str, str, bool]], rows: Sequence[str], looks: dict[str, Look], ax: Axes
) -> Axes:
    """The best arm of each cell by its colour; pale where the lead over the next is undecided.

    Args:
        best: number of examples, row, arm and whether it is decided, for each cell.
        rows: from the bottom to the top.
        looks: the colour, dash and marker of each arm.
        ax: where to draw.
    """
    columns = sorted({train for train, *_ in best})
    for train, row, arm, decided in best:
        x, y = float(columns.index(train)), float(rows.index(row))
        face = (looks[arm].colour, 0.8 if decided else 0.22)
        ax.add_patch(_square(x, y, face))
        words = arm if len(arm) <= 10 else arm[:9] + "…"
        ax.text(x, y, words, ha="center", va="center", fontsize=8, color="white" if decided else INK)
    ax.set(xlim=(-0.55, len(columns) - 0.45), ylim=(-0.55, len(rows) - 0.45), xlabel="training examples")
    ax.set_xticks(range(len(columns)), [short(train) for train in columns])
    ax.set_yticks(range(len(rows)), list(rows))
    tidy(ax)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax


def _square(x: float, y: float, face: tuple[str, float]):  # noqa: ANN202
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.47, y - 0.45), 0.94, 0.9, facecolor=face, linewidth=0)


def _side_by_side(curves: Sequence[ArmCurve]) -> list[ArmCurve]:
    """Curves at a single number of examples are set apart."""
    if len({x for curve in curves for x in curve.x}) > 1:
        return list(curves)
    middle = (len(curves) - 1) / 2
    return [replace(curve, x=[x * 1.05 ** (k - middle) for x in curve.x]) for k, curve in enumerate(curves)]


def _line(curve: ArmCurve, look: Look, label: str, ax: Axes) -> None:
    low, high = np.array(curve.low), np.array(curve.high)
    known = np.isfinite(low) & np.isfinite(high)
    if len(curve.x) == 1 and known.all():
        ax.vlines(curve.x, low, high, color=look.colour, alpha=0.45, linewidth=3)
    else:
        ax.fill_between(curve.x, low, high, where=known.tolist(), color=look.colour, alpha=0.14, linewidth=0)
    ax.plot(
        curve.x,
        curve.mean,
        color=look.colour,
        linestyle=look.dash,
        marker=look.marker,
        markersize=4.5,
        label=label_of(label),
    )


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


def _log_axis(ax: Axes) -> None:
    """Logarithmic, labelled also within a decade where that is all there is."""
    from matplotlib.ticker import LogLocator

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    decades = math.log10(high / low)
    subs = (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)
    if decades < 0.8:
        subs = (
            (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
            if decades > 0.3
            else tuple(np.arange(1, 10, 0.5 if decades > 0.1 else 0.1))
        )
    ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
    ax.yaxis.set_major_formatter("{x:.3g}")
    ax.yaxis.set_minor_formatter("")


def _compute_axis(ax: Axes) -> None:
    """Logarithmic, in FLOPs with prefixes."""
    from matplotlib.ticker import LogLocator

    low, high = ax.get_xlim()
    if math.log10(high / low) < 1:
        low, high = low / 1.5, high * 1.5
    ax.set_xlim(low, high)
    decades = math.log10(high / low)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 1.7 else (1.0,), numticks=7))
    ax.xaxis.set_major_formatter(lambda value, _: short(value))
    ax.xaxis.set_minor_formatter("")


def _linear_near_zero(curves: Sequence[ArmCurve], ax: Axes) -> None:
    """Bands of an early, noisy point do not set the scale alone."""
    values = np.array([mean for curve in curves for mean in curve.mean] + [0.0])
    span = max(float(values.max() - values.min()), 1e-9)
    low, high = ax.get_ylim()
    ax.set_ylim(max(low, values.min() - 0.6 * span), min(high, values.max() + 0.6 * span))
