"""Which figures a report has: drawn, saved under `figures/`, and described in words for those who cannot see them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from tqdm.auto import tqdm

from learnsym.degrees import Degree
from learnsym.report import figures
from learnsym.report.panel import Panel, drawn
from learnsym.report.run.results import Analysis, Curve, DataResult, Orbit
from learnsym.report.run.words import doubts, extent_headline
from learnsym.report.words import interval

SHARES = ("1", "probability")
"""Units of degrees that go from 0 to 1."""


def draw(analysis: Analysis, folder: Path, progress: bool = True) -> list[Panel]:
    """Draw and save all panels of an analysis."""
    planned = [panel for data in analysis.data for panel in panels(data)]
    bar = tqdm(planned, desc="figures", disable=None if progress else True, leave=False)
    return [drawn(panel, folder) for panel in bar]


def panels(data: DataResult) -> Iterable[Panel]:
    """The figures that the findings on one data set allow, not yet drawn."""
    small = (4.2, 3.0)
    for law in data.poses:
        kind = "poses" if law is data.poses[0] else f"poses-{law.generator}"
        width = interval(law.half_width, law.unit)
        alt = f"Law of poses of {data.label} along {law.generator}: half-width {width}."
        yield Panel(kind=kind, data=data.label, alt=alt, size=small, draw=partial(figures.pose_law, law))
    if data.extent is not None:
        alt = f"Excess validation loss over widths on {data.label}. {extent_headline(data.extent)}."
        yield Panel(kind="extent", data=data.label, alt=alt, size=small, draw=partial(figures.task_extent, data.extent))
    yield from _degree_panels(data)
    yield from _training_panels(data)


def _degree_panels(data: DataResult) -> Iterable[Panel]:
    drawable = [degree for degree in data.degrees if degree.generator in data.caps]
    if drawable:
        alt = f"Inferred half-widths on {data.label}: " + "; ".join(
            f"{degree.generator} {interval(degree, degree.unit)} ({degree.notion})" for degree in drawable
        )
        make = partial(figures.half_widths, drawable, data.caps)
        yield Panel(kind="widths", data=data.label, alt=alt, size=(4.2, 3.5), draw=make, caption=_doubts(drawable))
    layers = [degree for degree in data.degrees if degree.site.startswith("layer:") and degree.unit in SHARES]
    if layers:
        alt = f"Inferred degree of each layer on {data.label}, from the input to the output: " + "; ".join(
            f"{degree.site.removeprefix('layer:')} {degree.generator} {degree.estimate:.2f}{degree.caveat}"
            for degree in layers
        )
        make = partial(figures.degrees_by_layer, layers)
        yield Panel(kind="layers", data=data.label, alt=alt, size=(4.2, 3.3), draw=make, caption=_doubts(layers))
    weighed = [degree for degree in data.degrees if degree.site == "loss" and degree.unit in SHARES]
    if weighed:
        alt = f"Weight of each candidate symmetry in the loss on {data.label}: " + "; ".join(
            f"{degree.generator} {interval(degree)}" for degree in weighed
        )
        make, height = partial(figures.candidate_weights, weighed), 1.2 + 0.35 * len(weighed)
        caption = _doubts(weighed)
        yield Panel(kind="candidates", data=data.label, alt=alt, size=(4.2, height), draw=make, caption=caption)
    if data.orbit is not None:
        alt = f"Example images of {data.label}, each followed by itself moved by draws from the learned distribution."
        make = partial(figures.orbit, data.orbit)
        yield Panel(
            kind="orbits", data=data.label, alt=alt, size=_mosaic(data.orbit), draw=make, caption=data.orbit.caption
        )


def _training_panels(data: DataResult) -> Iterable[Panel]:
    small = (4.2, 3.0)
    if any(twin.by_angle for twin in data.twins):
        alt = f"Accuracy on {data.label} by rotation angle. " + "; ".join(
            f"{twin.name}: {_span(twin.by_angle)}" for twin in data.twins if twin.by_angle
        )
        law = next((law for law in data.poses if law.generator == "rotation"), None)
        make = partial(figures.accuracy_by_angle, data.twins, law=law)
        yield Panel(kind="angles", data=data.label, alt=alt, size=small, draw=make)
    if any("val/task" in history.values for twin in data.twins for history in twin.histories):
        alt = f"Validation loss over training steps on {data.label}, one line per twin, thin lines per seed."
        yield Panel(kind="loss", data=data.label, alt=alt, size=small, draw=partial(figures.loss_curves, data.twins))
    learned = data.twin("learned")
    if (
        learned is not None
        and data.caps
        and any(key.removeprefix("half_width/") in data.caps for history in learned.histories for key in history.values)
    ):
        alt = f"Learned half-widths over training steps on {data.label}, as fractions of the largest possible ones."
        make = partial(figures.width_curves, learned.histories, data.caps)
        yield Panel(kind="width-curves", data=data.label, alt=alt, size=(4.2, 3.3), draw=make)


def _doubts(degrees: Iterable[Degree]) -> str:
    sentences = [f"{text}." for text in doubts(degrees)]
    return " ".join(["Doubts:", *sentences]) if sentences else ""


def _mosaic(orbit: Orbit) -> tuple[float, float]:
    rows, columns = len(orbit.originals), len(orbit.moved[0]) + 1.3
    return 5.6, 5.6 * rows / columns


def _span(curve: Curve) -> str:
    return f"{min(curve.mean):.0%} to {max(curve.mean):.0%}"
