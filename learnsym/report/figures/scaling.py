"""Figures: laws of loss, compute-optimal frontiers and splits, budgets, repeated data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from learnsym.report.figures.arms import Look
from learnsym.report.figures.style import MUTED, label_of, tidy
from learnsym.scaling.arm import ArmStudy
from learnsym.scaling.budgets import budgets
from learnsym.scaling.isoflop import IsoFlop
from learnsym.scaling.repeated_intervals import RepeatedIntervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = {
    "counted": "training compute (FLOPs, counted)",
    "nominal": "training compute (FLOPs, nominal rule)",
    "seconds": "training time (s)",
}
SHADES = (0.25, 1.0)
"""Opacity of the smallest and of the largest budget."""


def loss_against_compute(
    arms: Sequence[ArmStudy], looks: Mapping[str, Look], ax: Axes, *, kind: str = "counted", loss: str = "test"
) -> Axes:
    """Runs as dots, the compute-optimal loss of each arm's law as a line with its band."""
    for arm in arms:
        name, look = arm.runs.arm, looks[arm.runs.arm]
        if kind in arm.runs.cost:
            dots = {"color": look.colour, "alpha": 0.5, "markersize": 3.6, "markeredgewidth": 0}
            label = None if kind in arm.frontiers else label_of(name)
            ax.plot(arm.runs.compute(kind), arm.runs.loss, look.marker, label=label, **dots)
        if kind in arm.frontiers:
            frontier = arm.frontiers[kind]
            ax.plot(frontier.C, frontier.loss.value, color=look.colour, linestyle=look.dash, label=label_of(name))
            ax.fill_between(
                frontier.C, frontier.loss.low, frontier.loss.high, color=look.colour, alpha=0.2, linewidth=0
            )
    ax.set(xscale="log", yscale="log", xlabel=LABELS[kind], ylabel=f"{'validation' if loss == 'val' else loss} loss")
    return _finished(ax, sum(kind in arm.runs.cost for arm in arms))


def best_split(
    arms: Sequence[ArmStudy], looks: Mapping[str, Look], ax: Axes, *, of: str, kind: str = "counted"
) -> Axes:
    """The best number of parameters (`of="N"`) or samples (`of="D"`) against compute; dots are minima of budgets."""
    for arm in arms:
        look = looks[arm.runs.arm]
        if kind in arm.frontiers:
            frontier = arm.frontiers[kind]
            band = frontier.N if of == "N" else frontier.D
            ax.plot(frontier.C, band.value, color=look.colour, linestyle=look.dash, label=label_of(arm.runs.arm))
            ax.fill_between(frontier.C, band.low, band.high, color=look.colour, alpha=0.2, linewidth=0)
        profile = arm.isoflops.get(kind)
        if of == "N" and isinstance(profile, IsoFlop):
            inside = np.array(profile.inside)
            ax.plot(profile.C[inside], profile.N_opt[inside], look.marker, color=look.colour, markersize=5)
    name = "parameters" if of == "N" else "samples"
    ax.set(xscale="log", yscale="log", xlabel=LABELS[kind], ylabel=f"best number of {name}")
    return _finished(ax, sum(kind in arm.frontiers for arm in arms))


def budget_parabolas(arm: ArmStudy, look: Look, ax: Axes, *, kind: str = "counted") -> Axes:
    """Loss against parameters, one parabola for each budget of compute, darker for larger ones; rings are minima."""
    profile, runs = arm.isoflops[kind], arm.fitted
    if isinstance(profile, str):
        raise ValueError(f"arm: {runs.arm} has no budgets ({profile}); draw another one")
    of_run = budgets(runs.compute(kind))
    shades = np.linspace(*SHADES, len(profile.C))
    for C, lowest, least, inside, shade in zip(
        profile.C, profile.N_opt, profile.least, profile.inside, shades, strict=True
    ):
        n, loss = np.log(runs.N[of_run == C]), runs.loss[of_run == C]
        ax.plot(np.exp(n), loss, look.marker, color=look.colour, alpha=shade, markersize=3.5, markeredgewidth=0)
        fine = np.linspace(n.min(), n.max(), 60)
        parabola = np.polyval(np.polyfit(n - n.mean(), loss, 2), fine - n.mean())
        ax.plot(np.exp(fine), parabola, color=look.colour, alpha=shade, label=f"{C:.1e}")
        if inside:
            ax.plot(lowest, least, "o", markerfacecolor="none", color=look.colour, markersize=8)
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="loss")
    handles, labels = ax.get_legend_handles_labels()
    ends = sorted({0, len(labels) - 1})
    title = "s" if kind == "seconds" else "FLOPs"
    _finished(ax, 0)
    named = [f"{labels[k]} {title}" for k in ends]
    ax.legend([handles[k] for k in ends], named, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax


def loss_against_repeats(arm: ArmStudy, look: Look, ax: Axes) -> Axes:
    """Loss against samples seen, for the size with most runs: a line for each number of unique examples.

    Lines follow the law of repeated data; dashed is the law if every sample were new.
    """
    repeated, runs = arm.repeated, arm.runs
    if not isinstance(repeated, RepeatedIntervals):
        raise ValueError(f"arm: {runs.arm} has no law of repeated data ({repeated}); draw another one")
    sizes, counts = np.unique(runs.N, return_counts=True)
    size = sizes[len(sizes) - 1 - int(counts[::-1].argmax())]
    shown = runs.where(np.isclose(runs.N, size))
    D = np.geomspace(shown.D.min(), shown.D.max(), 80)
    ax.plot(D, repeated.law.law.loss(shown.N[0], D), color=MUTED, linestyle="--", linewidth=1.2, label="all new")
    unique = np.unique(shown.U)
    for U, shade in zip(unique, np.linspace(*SHADES, len(unique)), strict=True):
        of_it = shown.U == U
        ax.plot(shown.D[of_it], shown.loss[of_it], look.marker, color=look.colour, alpha=shade, markersize=4)
        seen = np.geomspace(shown.D[of_it].min(), shown.D[of_it].max(), 80)
        ax.plot(seen, repeated.law.loss(shown.N[0], U, seen), color=look.colour, alpha=shade, label=f"{U:,.0f}")
    ax.set(xscale="log", yscale="log", xlabel="samples seen", ylabel=f"loss at {shown.N[0]:,.0f} parameters")
    _finished(ax, 0)
    ax.legend(title="unique examples", loc="upper right", ncols=2 if len(unique) > 3 else 1)
    return ax


def _finished(ax: Axes, labelled: int) -> Axes:
    from matplotlib.ticker import LogLocator, NullFormatter

    for axis, (low, high), decades in ((ax.xaxis, ax.get_xlim(), 50), (ax.yaxis, ax.get_ylim(), 200)):
        if high / low < decades:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(_short)
            axis.set_minor_formatter(NullFormatter())
    if labelled:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, handlelength=1.8, columnspacing=1.2)
    return tidy(ax)


def _short(value: float, _: Any) -> str:  # noqa: ANN401
    return f"{value:.3g}" if 1e-4 <= value < 1e5 else f"{value:.0e}"
