"""Which figures the page of a comparison has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from learnsym.comparison.verdicts import (
    LOG_LIKELIHOOD,
    LOSS,
    Difference,
    Metric,
    Place,
    Scores,
    best_arms,
    length_unit,
    lengths,
    where,
)
from learnsym.report.comparison.amounts import factor_of_losses
from learnsym.report.comparison.findings import Findings, degrees_by_figure
from learnsym.report.comparison.folding import FIGURES, MAP, POINTS, spaced
from learnsym.report.figures import comparison as figures
from learnsym.report.figures.arms import arm_looks
from learnsym.report.figures.axes import legend_rows
from learnsym.report.figures.comparison import ArmCurve
from learnsym.report.panel import Panel

UNITS = {
    "1": "degree of symmetry",
    "probability": "probability",
    "degree": "half-width (degrees)",
    "input length": "length of fixed inputs",
}
LINES = 6
"""More degrees than these are shown as means over layers."""


def panels(findings: Findings) -> Iterator[Panel]:
    """The figures that the cells so far allow, not yet drawn."""
    yield from _curves(findings)
    yield from _differences(findings)
    yield from _map(findings)
    yield from _compute(findings)
    yield from _degrees(findings)


def _size(labels: Sequence[str]) -> tuple[float, float]:
    """Inches of a panel with a legend of these labels."""
    return 3.7, 2.75 + 0.17 * legend_rows(labels)


def _curves(findings: Findings) -> Iterator[Panel]:
    alone = findings.metric in (LOSS, LOG_LIKELIHOOD)
    metrics = [findings.metric] if alone else [findings.metric, LOSS]
    sizes = sorted(set(findings.rows["size"]))
    several = len(sizes) > 1 or lengths(findings.rows).nunique() > 1
    for metric in metrics:
        yield _curve_panel(
            findings, findings.best_scores(metric=metric), metric, "chosen by validation" if several else "", "chosen"
        )
    if len(sizes) > 1:
        for size in spaced(sizes, FIGURES):
            scores = findings.best_scores(where(findings.rows, size=size))
            yield _curve_panel(findings, scores, findings.metric, f"size {size}", f"size-{size}")


def _curve_panel(findings: Findings, scores: Scores, metric: Metric, title: str, name: str) -> Panel:
    what = f"test {metric.name}"
    curves = [_curve(arm, scores, metric) for arm in findings.arms if scores.curve(arm)]
    alt = f"{what.capitalize()} against training examples. " + "; ".join(map(_span, curves)) + "."
    make = partial(figures.learning_curves, curves, arm_looks(findings.arms), what)
    kind = "curves" if name == "chosen" else "sizes"
    label = f"{what.capitalize()}, {title}" if title else what.capitalize()
    return Panel(kind=kind, data=label, alt=alt, size=_size([curve.arm for curve in curves]), draw=make)


def _curve(arm: str, scores: Scores, metric: Metric) -> ArmCurve:
    places = scores.curve(arm)
    return _of_values(arm, [float(n) for n in places], [scores.score(arm, place) for place in places.values()], metric)


def _of_values(arm: str, x: Sequence[float], scores: Sequence[Difference], metric: Metric) -> ArmCurve:
    """Scores as values of the metric, whose ends change places where less is better."""
    ends = [sorted(_value(metric, end) for end in (score.low, score.high)) for score in scores]
    mean = [metric.value(score.estimate) for score in scores]
    return ArmCurve(arm=arm, x=list(x), mean=mean, low=[low for low, _ in ends], high=[high for _, high in ends])


def _value(metric: Metric, score: float) -> float:
    return score if math.isinf(score) else metric.value(score)


def _span(curve: ArmCurve) -> str:
    return f"{curve.arm}: {curve.mean[0]:.3g} at {curve.x[0]:,.0f} to {curve.mean[-1]:.3g} at {curve.x[-1]:,.0f}"


def _differences(findings: Findings) -> Iterator[Panel]:
    scores, base = findings.chosen_scores, findings.base
    others = [arm for arm in findings.arms if arm != base]
    curves = [curve for arm in others if (curve := _difference(arm, base, scores, findings.metric)).x]
    if not curves:
        return
    if findings.metric.additive:
        unit = findings.metric.unit
        draw, what, ylabel = figures.paired_differences, f"in {unit}, positive", f"lead over {base} ({unit})"
    else:
        draw, what, ylabel = figures.loss_ratios, f"as {base}'s loss by its own, above 1", f"loss of {base} / own loss"
    make = partial(draw, curves, arm_looks(findings.arms), base, ylabel)
    yield Panel(
        kind="differences",
        data=f"Paired differences to {base}",
        alt=f"Difference to {base} {what} where the arm is better. {'; '.join(map(_span, curves))}.",
        size=_size([curve.arm for curve in curves]),
        draw=make,
    )


def _difference(arm: str, base: str, scores: Scores, metric: Metric) -> ArmCurve:
    """Points or nats, or the factor by which the base's loss is larger."""
    of_arm, of_base = scores.curve(arm), scores.curve(base)
    pairs = {n: scores.difference((arm, of_arm[n]), (base, of_base[n])) for n in of_arm if n in of_base}
    known = {n: difference for n, difference in pairs.items() if difference is not None}
    shown = metric.shown if metric.additive else _ratio
    columns = {
        name: [shown(getattr(difference, end)) for difference in known.values()]
        for name, end in (("mean", "estimate"), ("low", "low"), ("high", "high"))
    }
    return ArmCurve(arm=arm, x=[float(n) for n in known], **columns)


def _ratio(difference: float) -> float:
    return difference if math.isinf(difference) else 1 / factor_of_losses(difference)


def _map(findings: Findings) -> Iterator[Panel]:
    if findings.rows["train"].nunique() < 2 or findings.rows["size"].nunique() < 2:
        return
    yield _map_panel(findings, findings.arms, "Best of all arms")
    if findings.learned and len(findings.twins) > 1:
        yield _map_panel(findings, findings.twins, f"Best without {' and '.join(findings.learned)}")


def _map_panel(findings: Findings, arms: Sequence[str], title: str) -> Panel:
    rows = findings.rows.query("arm in @arms")
    best = best_arms(rows, findings.metric, findings.level, findings.test_examples)
    trains = spaced(sorted({best_there.cell.train for best_there in best}), MAP[0])
    places = spaced(sorted({(best_there.cell.size, best_there.cell.length) for best_there in best}), MAP[1])
    shown = [b for b in best if b.cell.train in set(trains) and (b.cell.size, b.cell.length) in set(places)]
    title = title if len(shown) == len(best) else f"{title} ({len(shown)} of {len(best)} places, evenly spaced)"
    long = len({length for _, length in places}) > 1
    names = {place: _row_name(place, length_unit(findings.rows) if long else None) for place in places}
    cells = [
        (
            float(best_there.cell.train),
            names[best_there.cell.size, best_there.cell.length],
            best_there.arm,
            best_there.decided,
        )
        for best_there in shown
    ]
    alt = f"{title}. " + "; ".join(f"{row}, {n:,.0f} examples: {arm}" for n, row, arm, _ in cells) + "."
    make = partial(figures.best_arm_map, cells, list(names.values()), arm_looks(findings.arms))
    size = (1.2 + 0.7 * len(trains), 0.9 + 0.36 * len(names))
    return Panel(kind="map", data=title, alt=alt, size=size, draw=make)


def _row_name(place: tuple[int, float], unit: str | None) -> str:
    size, length = place
    return f"size {size}" if unit is None else f"{size}, {length:g} {unit}"


def _compute(findings: Findings) -> Iterator[Panel]:
    if findings.metric is LOG_LIKELIHOOD:  # which may have either sign, and no logarithm
        return
    scores = findings.losses
    lengthy = findings.rows.assign(length=lengths(findings.rows))
    names = ("arm", "train", "size", "length", "compute_counted")
    columns = zip(*(lengthy[name] for name in names), strict=True)
    of_place = {(str(arm), Place(train=int(n), size=int(s), length=float(t))): float(x) for arm, n, s, t, x in columns}
    curves = []
    for arm in findings.arms:
        places = [place for name, place in scores.by_place if name == arm and of_place[arm, place] > 0]
        x = [of_place[arm, place] for place in places]
        if places:
            curves.append(_of_values(arm, x, [scores.score(arm, place) for place in places], LOSS))
    most = max((len(curve.x) for curve in curves), default=0)
    curves = [_thinned(curve) for curve in curves]
    if curves:
        best = "; ".join(f"{curve.arm}: {min(curve.mean):.3g} at best" for curve in curves)
        make = partial(figures.loss_against_compute, curves, arm_looks(findings.arms))
        alt = f"Test loss against counted FLOPs of training. {best}."
        title = "Test loss against compute"
        title = title if most <= POINTS else f"{title} ({POINTS} of {most} places an arm and the best)"
        yield Panel(
            kind="compute",
            data=title,
            alt=alt,
            size=_size([curve.arm for curve in curves]),
            draw=make,
        )


def _thinned(curve: ArmCurve) -> ArmCurve:
    """A curve of many points with some of them, evenly spaced in compute, and all of its frontier."""
    if len(curve.x) <= POINTS:
        return curve
    shown = spaced(np.argsort(curve.x, kind="stable").tolist(), POINTS)
    return curve.at(sorted({*shown, *figures.frontier_points(curve)}))


def _degrees(findings: Findings) -> Iterator[Panel]:
    by_figure = degrees_by_figure(findings)
    for arm, unit in spaced(list(by_figure), FIGURES):
        yield from _degree_panel(arm, unit, by_figure[arm, unit], findings.level)


def _degree_panel(arm: str, unit: str, degrees: list, level: float) -> Iterable[Panel]:
    lines = _lines(degrees)
    curves = [_degree_curve(name, values, level) for name, values in lines.items()]
    if not curves:
        return
    what = UNITS.get(unit, f"half-width ({unit})")
    title = f"{arm}: {what}"
    alt = f"{title}, against training examples. " + "; ".join(map(_span, curves)) + "."
    yield Panel(
        kind="degrees",
        data=title,
        alt=alt,
        size=_size([curve.arm for curve in curves]),
        draw=partial(figures.degrees_by_examples, curves, what),
    )


def _lines(degrees: list) -> dict[str, list[tuple[int, float]]]:
    """Estimates by generator and site; means over layers where there are too many of these."""
    by_name: dict[str, list[tuple[int, float]]] = {}
    for n, degree in degrees:
        by_name.setdefault(_name(degree), []).append((n, float(degree["estimate"])))
    if len(by_name) <= LINES:
        return by_name
    joined: dict[str, list[tuple[int, float]]] = {}
    for n, degree in degrees:
        place = (
            "" if degree["site"] == "input" else ", mean of layers" if degree["site"].startswith("layer:") else ", loss"
        )
        joined.setdefault(degree["generator"].replace("_", " ") + place, []).append((n, float(degree["estimate"])))
    return dict(list(joined.items())[:LINES])


def _name(degree: dict) -> str:
    generator = degree["generator"].replace("_", " ")
    return generator if degree["site"] in ("input", "loss") else f"{generator}, {degree['site'].removeprefix('layer:')}"


def _degree_curve(name: str, values: list[tuple[int, float]], level: float) -> ArmCurve:
    by_size: dict[int, list[float]] = {}
    for n, value in values:
        by_size.setdefault(n, []).append(value)
    sizes = sorted(by_size)
    means = [Difference.of(np.array(by_size[n]), level) for n in sizes]
    columns = {
        "mean": [mean.estimate for mean in means],
        "low": [mean.low for mean in means],
        "high": [mean.high for mean in means],
    }
    return ArmCurve(arm=name, x=[float(n) for n in sizes], **columns)
