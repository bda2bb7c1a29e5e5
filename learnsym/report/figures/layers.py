"""Figure: how much of its symmetry each layer keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from learnsym.degrees import Degree
from learnsym.report.figures.style import SERIES, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def degrees_by_layer(degrees: Sequence[Degree], ax: Axes) -> Axes:
    """Degrees of layers, from 0 to 1, from the input to the output, with their intervals: one line a generator."""
    sites = list(dict.fromkeys(degree.site for degree in degrees))
    for generator, colour in zip(dict.fromkeys(degree.generator for degree in degrees), SERIES, strict=False):
        found = [degree for degree in degrees if degree.generator == generator]
        at = [sites.index(degree.site) for degree in found]
        low = [degree.estimate if degree.low is None else degree.low for degree in found]
        high = [degree.estimate if degree.high is None else degree.high for degree in found]
        estimates = [degree.estimate for degree in found]
        ax.plot(at, estimates, "o-", color=colour, markersize=5, linewidth=1.2, label=generator.replace("_", " "))
        ax.vlines(at, low, high, color=colour, linewidth=2.2, alpha=0.45)
    ax.set_xticks(range(len(sites)), [site.removeprefix("layer:") for site in sites], rotation=30, ha="right")
    ax.set(xlabel="layer", ylabel="degree (1: exact)", ylim=(-0.04, 1.04))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1.2, columnspacing=1.2)
    return tidy(ax)
