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
    panels += [_looks_panel(by_name[name], law) for name, law in inference.laws.items() if law.get("saliency")]
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


def _looks_panel(candidate: Candidate, law: dict[str, Any]) -> Panel:
    rows, columns = len(law["saliency"]), len(law["saliency"][0])
    i, j = max(((i, j) for i in range(rows) for j in range(columns)), key=lambda at: law["saliency"][at[0]][at[1]])
    alt = (
        f"Where {candidate.title} is read: most is lost without row {i + 1} of {rows} from above and column {j + 1} of "
        f"{columns} from the left, {law['saliency'][i][j]:.2g} nats."
    )
    return Panel(
        kind="looks", data=candidate.title, alt=alt, size=(2.6, 2.4), draw=partial(saliency_map, law["saliency"])
    )


def saliency_map(saliency: Sequence[Sequence[float]], ax: Axes) -> Axes:
    """What is known less of poses without each patch of the images, in nats."""
    shown = ax.imshow([[max(value, 0.0) for value in row] for row in saliency], cmap="Purples", vmin=0)
    ax.set(xticks=[], yticks=[])
    assert ax.figure is not None  # since axes are of a figure
    ax.figure.colorbar(shown, ax=ax, fraction=0.046, label="lost without it (nats)")
    return ax


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
