"""Figures: a comparison of arms across data, size and compute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.arms import Look
from learnsym.report.figures.axes import compute_axis, examples_axis, legend_above, log_axis, short
from learnsym.report.figures.style import INK, SERIES, label_of, tidy
from learnsym.report.words import true_minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPREAD = 1.25
"""The factor between the outer curves that are set apart at a single number of examples."""


@dataclass(frozen=True, kw_only=True)
class ArmCurve:
    """A quantity of one arm along `x`, with pointwise intervals that are infinite where there is one seed."""

    arm: str
    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]

    def at(self, points: Sequence[int]) -> ArmCurve:
        """The curve at some of its points, by their indices."""
        columns = {name: [getattr(self, name)[k] for k in points] for name in ("x", "mean", "low", "high")}
        return ArmCurve(arm=self.arm, **columns)


def learning_curves(curves: Sequence[ArmCurve], looks: dict[str, Look], ylabel: str, ax: Axes) -> Axes:
    """A score or loss against the number of training examples: one line an arm with its band."""
    for curve in _side_by_side(curves):
        _line(curve, looks[curve.arm], curve.arm, ax)
    examples_axis([x for curve in curves for x in curve.x], ax)
    ax.set(ylabel=ylabel)
    if "accuracy" in ylabel:
        ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    elif "likelihood" not in ylabel:  # which may have either sign
        log_axis(ax)
    legend_above([curve.arm for curve in curves], ax)
    return tidy(ax)


def paired_differences(
    curves: Sequence[ArmCurve], looks: dict[str, Look], reference: str, ylabel: str, ax: Axes
) -> Axes:
    """Each arm minus the reference over paired seeds; above 0 the arm is better."""
    _against(0.0, curves, looks, reference, ax)
    ax.set(ylabel=ylabel)
    _near_means(curves, looks, ax)
    ax.yaxis.set_major_formatter(lambda value, _: true_minus(f"{value:.3g}"))
    return tidy(ax)


def loss_ratios(curves: Sequence[ArmCurve], looks: dict[str, Look], reference: str, ylabel: str, ax: Axes) -> Axes:
    """The reference's loss as a multiple of each arm's, over paired seeds; above 1 the arm is better."""
    _against(1.0, curves, looks, reference, ax)
    ax.set(ylabel=ylabel)
    log_axis(ax)
    return tidy(ax)


def _against(level: float, curves: Sequence[ArmCurve], looks: dict[str, Look], reference: str, ax: Axes) -> None:
    ax.axhline(level, color=looks[reference].colour, linewidth=1.4)
    for curve in _side_by_side(curves):
        _line(curve, looks[curve.arm], curve.arm, ax)
    examples_axis([x for curve in curves for x in curve.x], ax)
    legend_above([curve.arm for curve in curves], ax)


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
    log_axis(ax)
    compute_axis(ax)
    legend_above([curve.arm for curve in curves], ax)
    return tidy(ax)


def frontier(curve: ArmCurve) -> ArmCurve:
    """The points with a lower value than all others of no more compute."""
    return curve.at(frontier_points(curve))


def frontier_points(curve: ArmCurve) -> list[int]:
    """Indices of the points with a lower value than all others of no more compute."""
    best: list[int] = []
    for k in np.lexsort((curve.mean, curve.x)).tolist():
        if not best or curve.mean[k] < curve.mean[best[-1]]:
            best.append(k)
    return best


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
    across, up = ({value: float(i) for i, value in enumerate(values)} for values in (columns, rows))
    for train, row, arm, decided in best:
        x, y = across[train], up[row]
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
    shifts = np.linspace(-0.5, 0.5, len(curves)) if len(curves) > 1 else [0.0]
    return [
        replace(curve, x=[x * SPREAD ** float(shift) for x in curve.x])
        for curve, shift in zip(curves, shifts, strict=True)
    ]


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


def _near_means(curves: Sequence[ArmCurve], looks: dict[str, Look], ax: Axes) -> None:
    """Bands of an early, noisy point do not set the scale alone; a triangle says that one goes on beyond the axis."""
    if all(len(curve.x) == 1 for curve in curves):
        return
    values = np.array([mean for curve in curves for mean in curve.mean] + [0.0])
    span = max(float(values.max() - values.min()), 1e-9)
    low, high = ax.get_ylim()
    low, high = max(low, values.min() - 0.6 * span), min(high, values.max() + 0.6 * span)
    ax.set_ylim(low, high)
    for curve in curves:
        below = [x for x, end in zip(curve.x, curve.low, strict=True) if -np.inf < end < low]
        above = [x for x, end in zip(curve.x, curve.high, strict=True) if high < end < np.inf]
        look = {"color": looks[curve.arm].colour, "linestyle": "none", "markersize": 4, "clip_on": False}
        ax.plot(below, [low] * len(below), marker="v", **look)
        ax.plot(above, [high] * len(above), marker="^", **look)
