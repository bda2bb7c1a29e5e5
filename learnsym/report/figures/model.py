"""Figures of the symmetry of a model: its degrees, its errors under moves, and the layers they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from learnsym.degrees import Degree
from learnsym.report.figures.style import DASHES, INK, MUTED, NOTION_COLOURS, SERIES, TWIN_COLOURS, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from learnsym.report.run.results import Curve, PoseLaw, TwinResult

LONGEST = 26


def degrees_by_layer(degrees: Sequence[Degree], ax: Axes) -> Axes:
    """Degrees of layers, from 0 to 1, from the input to the output, with their intervals: one line a generator."""
    sites = list(dict.fromkeys(degree.site for degree in degrees))
    for generator, colour in zip(dict.fromkeys(degree.generator for degree in degrees), SERIES, strict=False):
        of_generator = [degree for degree in degrees if degree.generator == generator]
        at = [sites.index(degree.site) for degree in of_generator]
        low = [degree.estimate if degree.low is None else degree.low for degree in of_generator]
        high = [degree.estimate if degree.high is None else degree.high for degree in of_generator]
        estimates = [degree.estimate for degree in of_generator]
        ax.plot(at, estimates, "o-", color=colour, markersize=5, linewidth=1.2, label=generator.replace("_", " "))
        ax.vlines(at, low, high, color=colour, linewidth=2.2, alpha=0.45)
    ax.set_xticks(range(len(sites)), [site.removeprefix("layer:") for site in sites], rotation=30, ha="right")
    ax.set(xlabel="layer", ylabel="degree (1: exact)", ylim=(-0.04, 1.04))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1.2, columnspacing=1.2)
    return tidy(ax)


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


def accuracy_by_angle(twins: Sequence[TwinResult], ax: Axes, law: PoseLaw | None = None) -> Axes:
    """Accuracy on test images turned by a further angle: one line a twin with its band, the range of poses shaded."""
    if law is not None:
        half_width = law.half_width.estimate
        ax.axvspan(-half_width, half_width, color=NOTION_COLOURS["distribution"], alpha=0.07, linewidth=0)
    for twin in twins:
        if twin.by_angle is not None:
            _line(twin.name, twin.by_angle, ax)
    ax.set(xlim=(-180, 180), xticks=[-180, -90, 0, 90, 180], xlabel="test images turned by", ylabel="accuracy")
    ax.set_ylim(bottom=0.0, top=1.02)
    ax.xaxis.set_major_formatter("{x:.0f}°")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, handlelength=1.8, columnspacing=1.2)
    return tidy(ax)


def error_curve(
    at: Sequence[float] | Sequence[str],
    errors: Sequence[float],
    stderrs: Sequence[float],
    floors: Sequence[float],
    ax: Axes,
    xlabel: str = "",
) -> Axes:
    """Relative error at each element with its standard error, above what interpolation alone makes.

    Elements along a generator stand at their coordinates and are joined; those of a finite group have names.
    """
    places, line = _elements(at, ax)
    if isinstance(at[0], str):
        ax.bar(places, floors, width=0.8, color=MUTED, alpha=0.2, linewidth=0, label="interpolation")
    else:
        ax.fill_between(places, floors, color=MUTED, alpha=0.2, linewidth=0, label="interpolation")
    ax.errorbar(places, errors, yerr=stderrs, color=SERIES[0], label="model", **line)
    ax.set_ylim(bottom=0.0)
    ax.set(xlabel=xlabel, ylabel="relative error")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=1.8)
    return tidy(ax)


def predictions_along(
    at: Sequence[float] | Sequence[str],
    lines: Mapping[str, Sequence[tuple[float, float]]],
    ax: Axes,
    limit: float,
    xlabel: str = "",
) -> Axes:
    """Shares at each element with their standard errors, one line a measure, and the limit of what is symmetric."""
    places, line = _elements(at, ax)
    for (name, values), colour in zip(lines.items(), SERIES, strict=False):
        if values:
            means, stderrs = zip(*values, strict=True)
            ax.errorbar(places, means, yerr=stderrs, color=colour, label=name, **line)
    ax.axhline(limit, color=MUTED, linewidth=0.9, linestyle=":")
    ax.set(xlabel=xlabel, ylim=(-0.03, 1.05))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=1.4, columnspacing=1.0)
    return tidy(ax)


def _elements(at: Sequence[float] | Sequence[str], ax: Axes) -> tuple[list[float], dict[str, Any]]:
    """Where elements stand on the axis, and how they are drawn."""
    line = {"marker": "o", "markersize": 3.5, "capsize": 2, "linestyle": "none" if isinstance(at[0], str) else "-"}
    if not isinstance(at[0], str):
        return [float(each) for each in at], line
    step = max(1, len(at) // 6)
    ax.set_xticks(list(range(len(at)))[::step], [str(each) for each in at][::step], rotation=20, fontsize=8)
    return [float(place) for place in range(len(at))], line


def contributions(sites: Sequence[str], shares: Sequence[float], stderrs: Sequence[float], ax: Axes) -> Axes:
    """Signed shares of the squared error, one bar a site, with standard errors."""
    places = range(len(sites))
    colours = [SERIES[0] if share >= 0 else SERIES[1] for share in shares]
    error = {"ecolor": INK, "elinewidth": 0.9, "capsize": 2}
    ax.barh(places, [100 * share for share in shares], color=colours, height=0.72)
    ax.errorbar([100 * s for s in shares], places, xerr=[100 * s for s in stderrs], fmt="none", **error)
    ax.set_yticks(list(places), [_shortened(site) for site in sites], fontsize=8)
    ax.invert_yaxis()
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_xlabel("share of the squared error, %")
    return tidy(ax, "x")


def _shortened(site: str) -> str:
    return site if len(site) <= LONGEST else "…" + site[1 - LONGEST :]


def _line(name: str, curve: Curve, ax: Axes) -> None:
    x, mean, low, high = (_wrapped(values) for values in (curve.x, curve.mean, curve.low, curve.high))
    x[-1] = 180.0
    colour = TWIN_COLOURS.get(name)
    ax.fill_between(x, low, high, color=colour, alpha=0.14, linewidth=0)
    ax.plot(x, mean, color=colour, linestyle=DASHES.get(name, "-"), label=name)


def _wrapped(values: Sequence[float]) -> np.ndarray:
    # angles 0..345 become -180..165, and the first is repeated at +180
    rolled = np.roll(np.asarray(values, dtype=float), len(values) // 2)
    if values[0] == 0 and values[-1] > 180:
        rolled = np.where(rolled >= 180, rolled - 360, rolled)
    return np.append(rolled, rolled[0])
