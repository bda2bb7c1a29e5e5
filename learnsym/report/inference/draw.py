"""Which figures the page of an inference has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnsym.inference import Candidate
from learnsym.report import figures
from learnsym.report.figures.style import NOTION_COLOURS, tidy
from learnsym.report.inference.results import Inference
from learnsym.report.panel import Panel, drawn
from learnsym.report.run.results import PoseLaw
from learnsym.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (4.2, 3.0)


def draw(inference: Inference, candidates: Sequence[Candidate], folder: Path) -> list[Panel]:
    """Draw and save all figures: the law of poses and the harm to labels of each candidate that has them."""
    by_name = {c.name: c for c in candidates}
    panels = [_law_panel(by_name[name], law) for name, law in inference.laws.items() if law.get("grid")]
    for name, curve in inference.harms.items():
        if len(curve) > 1:
            panels.append(_harm_panel(by_name[name], curve))
    return [drawn(panel, folder) for panel in panels]


def _law_panel(candidate: Candidate, law: dict[str, Any]) -> Panel:
    shown = PoseLaw(
        generator=candidate.name,
        unit=candidate.unit,
        cap=law["window"],
        grid=law["grid"],
        density=law["density"],
        fitted=law["fitted"],
        half_width=Interval(estimate=law["estimate"], low=law["low"], high=law["high"]),
        kind="range",
        flags=law["flags"],
    )
    alt = f"Law of poses along {candidate.title}: half-width {law['estimate']:.3g} {candidate.unit}."
    return Panel(kind="poses", data=candidate.title, alt=alt, size=SIZE, draw=partial(figures.pose_law, shown))


def _harm_panel(candidate: Candidate, curve: Sequence[tuple[float, float, float]]) -> Panel:
    alt = f"Harm to held-out labels by width of augmentation by {candidate.title}: " + "; ".join(
        f"{width:g}: {harm:.2g} ± {stderr:.1g}" for width, harm, stderr in curve
    )
    return Panel(kind="harm", data=candidate.title, alt=alt, size=SIZE, draw=partial(harm_curve, candidate, curve))


def harm_curve(candidate: Candidate, curve: Sequence[tuple[float, float, float]], ax: Axes) -> Axes:
    """Harm to held-out labels over widths of augmentation, with one standard error."""
    widths, harms, errors = zip((0.0, 0.0, 0.0), *curve, strict=True)
    ax.axhline(0, color="#9AA5B1", linewidth=0.8)
    ax.errorbar(widths, harms, yerr=errors, color=NOTION_COLOURS["task"], marker="o", capsize=2.5, linewidth=1.2)
    ax.set(xlabel=f"half-width of {candidate.title} ({candidate.unit})", ylabel="harm to labels (nats)")
    ax.locator_params(axis="x", nbins=5)
    return tidy(ax)
