"""Findings in words: one short headline and one explaining sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from learnsym.degrees import Degree
from learnsym.measure.task_extent import together
from learnsym.report.run.results import DataResult, ExtentCurve, PoseLaw, TwinResult
from learnsym.report.words import in_unit, interval, percent, three_digits

_MOVED = {
    "rotation": "Rotated",
    "translation_x": "Shifted sideways",
    "translation_y": "Shifted vertically",
    "scale": "Rescaled",
    "stretch": "Stretched",
    "shear": "Sheared",
}


def score(twin: TwinResult) -> str:
    """The accuracy of a twin with its interval in percent, or its squared error."""
    value = twin.accuracy
    text = percent if twin.score == "accuracy" else three_digits
    return text(value.estimate, value.low, value.high)


def also(twin: TwinResult, name: str) -> str:
    """A further error of a twin with its interval."""
    value = twin.also.get(name)
    return "–" if value is None else three_digits(value.estimate, value.low, value.high)


def pose_headline(law: PoseLaw) -> str:
    """How far the data are moved, in a few words."""
    moved = _MOVED.get(law.generator, f"Moved along {law.generator}")
    width, low, high = law.half_width.estimate, law.half_width.low, law.half_width.high
    if law.kind == "unreadable":
        return f"Poses along {law.generator} cannot be read"
    if law.kind == "several":
        return f"{moved} in several ways, within {in_unit(width, law.unit)}"
    if law.kind == "periodic":
        turn = in_unit(2 * law.cap / law.facts["order"], law.unit)
        return f"{moved} by multiples of {turn}, each up to {in_unit(width, law.unit)} more"
    if law.kind == "full" or (high is not None and high >= 0.99 * law.cap and width > 0.92 * law.cap):
        return f"{moved} by any angle" if law.unit == "degree" else f"{moved} over the whole range"
    if low is not None and high is not None and low <= 0.01 * law.cap:
        return f"Not {moved.lower()}, or by less than {in_unit(high, law.unit)}"
    return f"{moved} by up to {in_unit(width, law.unit)}"


def pose_detail(law: PoseLaw, level: float) -> str:
    """The interval behind `pose_headline`, and where it comes from."""
    if law.kind == "unreadable":
        return "The network does not tell poses even on the images it was trained on, so nothing follows."
    inferred = f"Inferred half-width {in_unit(law.half_width.estimate, law.unit)}"
    if law.half_width.low is None or law.half_width.high is None:
        return f"{inferred}, from the images alone."
    low, high = in_unit(law.half_width.low, law.unit), in_unit(law.half_width.high, law.unit)
    return f"{inferred}, {level:.0%} interval {low} to {high}, from the images alone."


def extent_headline(extent: ExtentCurve) -> str:
    """Which widths of augmentation the labels tolerate, in a few words."""
    low, high = min(extent.tolerated), max(extent.tolerated)
    if len(together(extent.widths, extent.tolerated)) > 1:
        named = ", ".join(in_unit(width, extent.unit) for width in sorted(extent.tolerated))
        return f"Labels tolerate {named}, but not what lies between them"
    if low == high == 0:
        return f"Labels are best served without added {extent.generator}"
    if low == high:
        return f"Labels are best served by {in_unit(low, extent.unit)}"
    if low == 0:
        return f"Labels tolerate up to {in_unit(high, extent.unit)}"
    return f"Labels tolerate {in_unit(low, extent.unit)} to {in_unit(high, extent.unit)}"


def extent_detail(extent: ExtentCurve) -> str:
    """What `extent_headline` rests on."""
    times = f"{extent.replicates} times each" if extent.replicates > 1 else "once each"
    spread = "" if extent.replicates > 1 else " The spread over trainings is unknown."
    return (
        f"Of {len(extent.widths)} widths of random {extent.generator}, trained {times}, these have a validation loss "
        f"within noise of the best, {in_unit(extent.best, extent.unit)}. {_harmless(extent)}{spread}"
    )


def _harmless(extent: ExtentCurve) -> str:
    """Up to which width augmentation does no harm."""
    low, high = (in_unit(end, extent.unit) for end in extent.harmless.ends)
    estimate = in_unit(extent.harmless.estimate, extent.unit)
    return (
        f"The loss stays within {extent.margin:.2g} of the best up to {estimate}; where that ends lies between "
        f"{low} and {high}."
    )


def doubts(degrees: Iterable[Degree]) -> list[str]:
    """Which numbers cannot be trusted and why, a sentence for all generators of a site and method of which it holds."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for degree in degrees:
        if degree.doubt:
            alike.setdefault((degree.site, degree.method, degree.doubt), []).append(degree.generator)
    return [
        f"{', '.join(generators)}{'' if site == 'input' else f' at {site}'} by {method}: {reason}"
        for (site, method, reason), generators in alike.items()
    ]


def doubts_of(data: DataResult, method: str, generator: str) -> list[str]:
    """Why the degrees of one generator cannot be trusted, by methods whose names begin so; none when they can."""
    found = [d for d in data.degrees if d.method.startswith(method) and d.generator == generator]
    return [_sentence(degree.doubt) for degree in found if degree.doubt]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def extra_inputs(data: DataResult) -> list[str]:
    """What relaxed networks on clouds or tasks have learned beside these, one sentence each; none for others."""
    # a method is named with its chooser, "fixed functions, validation"
    named = [(degree, _EXTRA.get(degree.method.partition(",")[0])) for degree in data.degrees]
    return [
        sentence(degree) + (f" {_sentence(degree.doubt)}" if degree.doubt else "")
        for degree, sentence in named
        if sentence is not None
    ]


def _fixed_vector(degree: Degree) -> str:
    place = degree.generator.removeprefix("fixed vector ")
    return f"Learned vector {place} is {interval(degree)} times as long as the vectors of the points."


def _coordinates(degree: Degree) -> str:
    if (degree.estimate if degree.high is None else degree.high) < 0.005:
        return "Of the mean square of all scalars, less than 0.5% sees where points are."
    share = percent(degree.estimate, degree.low, degree.high)
    return f"Of the mean square of all scalars, {share} sees where points are."


def _functions(degree: Degree) -> str:
    share = percent(degree.estimate, degree.low, degree.high)
    return f"Functions of location carry {share} of the size of the predicted means; without them {degree.group} holds."


_EXTRA = {"fixed inputs": _fixed_vector, "absolute coordinates": _coordinates, "fixed functions": _functions}


def score_headline(data: DataResult) -> str:
    """How the learned twin does, in a few words."""
    twin = data.twin("learned") or best(data.twins)
    if twin.score != "accuracy":
        return f"{twin.score.capitalize()} {twin.accuracy.estimate:.3g} with the {twin.name} twin"
    return f"{twin.accuracy.estimate:.1%} with the {twin.name} twin"


def score_detail(data: DataResult) -> str:
    """The learned twin next to the best other one."""
    learned, others = data.twin("learned"), [twin for twin in data.twins if twin.name != "learned"]
    if learned is None or not others:
        twin = learned or best(data.twins)
        return f"{twin.score.capitalize()} {score(twin)}."
    other = best(others)
    return f"Learned {score(learned)}; the best other twin, {other.name}, {score(other)}."


def best(twins: Sequence[TwinResult]) -> TwinResult:
    """The twin of highest accuracy or lowest error."""
    return max(twins, key=lambda twin: twin.accuracy.estimate if twin.score == "accuracy" else -twin.accuracy.estimate)
