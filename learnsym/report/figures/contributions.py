"""Figure: which layers the local equivariance error comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from learnsym.report.figures.style import INK, SERIES, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 26


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
