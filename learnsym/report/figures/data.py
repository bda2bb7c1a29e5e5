"""Figures of the symmetry of the data: the law of poses, the widths that labels tolerate, those learned, the orbits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from learnsym.degrees import Degree
from learnsym.measure.task_extent import together
from learnsym.report.figures.style import INK, NOTION_COLOURS, tidy
from learnsym.report.words import in_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from learnsym.report.run.results import ExtentCurve, Orbit, PoseLaw

_LOOK = {
    "augerino": ("o", "learned (task)"),
    "augerino, validation": ("o", "learned (task)"),
    "hypotheses": ("o", "learned (task)"),
    "hypotheses, selection": ("o", "learned (task)"),
    "held-out loss": ("s", "tolerated (task)"),
    "harmless augmentation": ("^", "harmless"),
    "pose posterior": ("D", "poses (distribution)"),
}


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


def task_extent(extent: ExtentCurve, ax: Axes) -> Axes:
    """Excess validation loss over the best width with one standard error; those within noise of it are filled."""
    colour = NOTION_COLOURS["task"]
    widths, excess, stderr = (np.asarray(values) for values in (extent.widths, extent.excess, extent.stderr))
    pad = 0.012 * (widths.max() - widths.min() or 1.0)
    for group in together(extent.widths, extent.tolerated):
        ax.axvspan(min(group) - pad, max(group) + pad, color=colour, alpha=0.1, linewidth=0)
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


def half_widths(degrees: Sequence[Degree], caps: dict[str, float], ax: Axes) -> Axes:
    """Half-width of each generator as a fraction of the largest possible, with its interval; values in units."""
    ticks: dict[str, float] = {}
    height = 0.0
    for name in (name for name in caps if any(degree.generator == name for degree in degrees)):
        of_generator = [degree for degree in degrees if degree.generator == name]
        ticks[name.replace("_", " ")] = height + (len(of_generator) - 1) / 2
        for degree in of_generator:
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


def orbit(moves: Orbit, ax: Axes) -> Axes:
    """One row an example: the image itself, then the image moved by elements of the learned distribution."""
    originals, moved = np.asarray(moves.originals, dtype=float), np.asarray(moves.moved, dtype=float)
    rows = [_row(original, images) for original, images in zip(originals, moved, strict=True)]
    mosaic = np.clip(np.concatenate(rows, axis=0), 0.0, 1.0)
    ax.imshow(1.0 - mosaic if mosaic.ndim == 2 else mosaic, cmap="gray", vmin=0.0, vmax=1.0, interpolation="none")
    ax.set_axis_off()
    return ax


def _range(law: PoseLaw, ax: Axes, height: float) -> None:
    estimate, low, high = law.half_width.estimate, law.half_width.low, law.half_width.high
    if low is not None and high is not None:
        ax.plot([-high, high], [height, height], color=INK, linewidth=3, alpha=0.25, solid_capstyle="butt")
        ax.plot([-low, low], [height, height], color="white", linewidth=4, solid_capstyle="butt")
    ax.plot(
        [-estimate, estimate], [height, height], color=INK, linewidth=1.4, marker="|", markersize=8, label="half-width"
    )


def _mark(degree: Degree, cap: float, height: float, ax: Axes) -> None:
    marker, label = _LOOK.get(degree.method, ("o", degree.method.replace("_", " ")))
    colour = NOTION_COLOURS[degree.notion]
    low = degree.estimate if degree.low is None else degree.low
    high = degree.estimate if degree.high is None else degree.high
    ax.plot([low / cap, high / cap], [height, height], color=colour, linewidth=2.2, alpha=0.45, solid_capstyle="round")
    ax.plot([degree.estimate / cap], [height], marker, color=colour, markersize=5.5, label=label, linestyle="none")
    right = high / cap < 0.72
    ax.annotate(
        in_unit(degree.estimate, degree.unit).removesuffix(" shortest side").removesuffix(" log"),
        (high / cap if right else low / cap, height),
        xytext=(7 if right else -7, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=8,
        color=INK,
    )


def _row(original: np.ndarray, images: np.ndarray) -> np.ndarray:
    gap, wide = (np.zeros((original.shape[0], width, *original.shape[2:])) for width in (2, 8))
    parts = [original, wide]
    for image in images:
        parts += [image, gap]
    row = np.concatenate(parts[:-1], axis=1)
    return np.concatenate([row, np.zeros((2, *row.shape[1:]))], axis=0)
