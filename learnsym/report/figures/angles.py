"""Figure: accuracy by rotation angle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.figures.style import DASHES, NOTION_COLOURS, TWIN_COLOURS, tidy
from learnsym.report.results import Curve, PoseLaw, TwinResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
