"""The page of a suite: the table, whether intervals hold as often as they say, and every task with its answers."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from learnsym.data.known import Range, task_by_name
from learnsym.files import write_atomically
from learnsym.report.figures.style import SERIES, tidy
from learnsym.report.html import by_kind, environment
from learnsym.report.panel import Panel, drawn
from learnsym.suite.results import Suite
from learnsym.suite.scores import Entry, calibration
from learnsym.suite.table import HEADER, legend, reasons, row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

logger = logging.getLogger(__name__)

SIZE = (4.2, 3.1)
Curve = list[tuple[float, float, int]]


def write_page(suite: Suite) -> None:
    """Draw the figures and write the page."""
    folder = suite.path / "figures"
    panels = [drawn(panel, folder) for panel in [*_calibrations(suite), *_ranges(suite)]]
    page = (
        environment()
        .get_template("suite.html.j2")
        .render(
            suite=suite,
            header=HEADER,
            rows=[row(score) for score in suite.scores],
            legend=legend(),
            reasons=reasons(suite.entries),
            answers=[_answer(entry) for entry in suite.entries],
            panels=by_kind(panels),
            tasks=len({entry["task"] for entry in suite.entries}),
        )
    )
    write_atomically(suite.page, page.encode())
    logger.info("wrote %s", suite.page)


def _calibrations(suite: Suite) -> list[Panel]:
    panels = []
    for domain, curve in calibration([e for e in suite.entries if not e["reason"]]).items():
        said = "; ".join(f"{nominal:.0%} holds {share:.0%}" for nominal, share, _ in curve)
        alt = f"Share of intervals that hold the truth by nominal level, {domain}, {curve[0][2]} intervals: {said}."
        draw = partial(calibration_curve, curve)
        panels.append(Panel(kind="calibration", data=domain, alt=alt, size=SIZE, draw=draw))
    return panels


def calibration_curve(curve: Curve, ax: Axes) -> Axes:
    """The share of intervals that hold the truth over the level that they aim at; on the diagonal when both agree."""
    nominal, share, count = zip(*curve, strict=True)
    ax.plot([0, 1], [0, 1], color="#9AA5B1", linewidth=0.8)
    ax.plot(nominal, share, marker="o", color=SERIES[0], label=f"{count[0]} interval{'' if count[0] == 1 else 's'}")
    ax.set(xlabel="nominal level", ylabel="share that holds the truth", xlim=(0.45, 1.0), ylim=(0.0, 1.03))
    ax.legend(loc="lower right")
    return tidy(ax)


def _ranges(suite: Suite) -> list[Panel]:
    by_estimator: dict[str, list[Entry]] = {}
    for entry in suite.entries:
        if not entry["reason"] and "estimate" in entry["result"]:
            by_estimator.setdefault(entry["estimator"], []).append(entry)
    panels = []
    for name, entries in by_estimator.items():
        points = [_shares(entry) for entry in entries]
        error = sum(abs(found - true) for true, found in points) / len(points)
        alt = f"Ranges by {name} over true ranges, as shares of the largest: {len(points)}, mean error {error:.0%}."
        panels.append(Panel(kind="ranges", data=name, alt=alt, size=SIZE, draw=partial(range_points, points)))
    return panels


def _shares(entry: Entry) -> tuple[float, float]:
    """The true and the found range, as shares of the largest one."""
    truth = task_by_name(entry["task"]).truth
    assert isinstance(truth, Range)  # of which estimates are made
    return truth.half_width / truth.cap, entry["result"]["estimate"] / truth.cap


def range_points(points: list[tuple[float, float]], ax: Axes) -> Axes:
    """Found over true ranges; on the diagonal when both agree."""
    true, found = zip(*points, strict=True)
    ax.plot([0, 1], [0, 1], color="#9AA5B1", linewidth=0.8)
    ax.scatter(true, found, s=18, color=SERIES[1], alpha=0.7)
    ax.set(xlabel="true range / largest", ylabel="found range / largest")
    return tidy(ax)


def _answer(entry: Entry) -> dict[str, Any]:
    return {**entry, "says": _words(entry), "arm": entry["arm"] or "reads"}


def _words(entry: Entry) -> str:
    """An answer in few words, or why there is none."""
    found = entry["result"]
    if entry["reason"]:
        return entry["reason"]
    parts = []
    if "estimate" in found:
        interval = "" if found["low"] is None else f" [{found['low']:.3g}, {found['high']:.3g}]"
        parts.append(f"{found['estimate']:.3g}{interval}")
    elif "says" in found:
        parts.append(found.get("verdict") or ("closed" if found["says"] else "not closed"))
    if found.get("off") is not None:
        parts.append(f"the axis is {found['off']:.2g} degrees off")
    if "accuracy" in found:
        train, test = found["copies"]
        copies = f"{train} copies in training, {test} in evaluation"
        parts.append(f"{100 * found['accuracy']:.1f} %, {found['cost']:.1f} plain trainings, {copies}")
    return "; ".join(parts)
