"""Verdicts: from laws of poses, closure tests and harms to findings that hold together.

All intervals and tests of an inference hold at once with the level that was asked for, by Bonferroni's inequality: each
of `m` verdicts has the level `1 - (1 - level) / m`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from learnsym.inference.candidates import MIRRORS_OF_SPACE, Candidate
from learnsym.inference.findings import Finding
from learnsym.inference.labels import conditions_of, is_chance, pooled
from learnsym.inference.numbers import measured

HIDDEN_SHARE = 0.2
"""A difference that could be this large, in total variation, is not excluded: nothing is said."""
SMALL = 1 / 6
"""Share of the window below which a bound counts as absent."""
PIXELS = 1.25
"""Moves of the border by as many pixels are too small to count."""
NATURAL = math.sqrt(3)
"""Half-width in units of the noise, which holds the natural spread of poses, below which nothing need be there: a
uniform law of that half-width is as spread."""
MARGIN, NATS = 0.15, 0.02
"""Harm that counts as none: as a share of the loss, and in nats."""


def each_level(level: float, verdicts: int) -> float:
    """The level of each verdict with which all hold together.

    Example:
        >>> round(each_level(0.9, 10), 4)
        0.99
    """
    return 1 - (1 - level) / max(verdicts, 1)


def findings_of(
    candidates: Sequence[Candidate],
    results: Mapping[str, dict[str, Any]],
    folds: Sequence[dict[str, Any]],
    *,
    level: float,
    no_labels: str = "",
) -> list[Finding]:
    """The verdict on each candidate: from the examples alone, then from the labels.

    Args:
        candidates: of the data.
        results: what each candidate that fits was measured to be, by name.
        folds: what the labels said, a fold each; empty when there are none.
        level: probability with which all verdicts hold together.
        no_labels: why the labels say nothing; empty when they do.
    """
    verdicts = sum(c.fits for c in candidates) * (2 if folds else 1)
    each = each_level(level, verdicts)
    found = [_of_distribution(c, results, each) for c in candidates]
    found += _of_task(candidates, folds, each, no_labels)
    return [_with_level(finding, level) for finding in found]


def _with_level(finding: Finding, level: float) -> Finding:
    return replace(finding, level=level)


def _of_distribution(candidate: Candidate, results: Mapping[str, dict[str, Any]], each: float) -> Finding:
    if not candidate.fits:
        return _finding(candidate, "distribution", "does not fit", candidate.reason)
    result = results[candidate.name]
    if "reason" in result:
        return _finding(candidate, "distribution", "cannot be told", result["reason"])
    if candidate.stage == "closure":
        if candidate.name in MIRRORS_OF_SPACE:
            return _of_mirrored_cloud(candidate, result, results, each)
        return of_closure(candidate, result, each)
    if candidate.stage == "space":
        return of_space(candidate, result, results)
    finding = of_law(candidate, result)
    if not (cue := result.get("cue")):
        return finding
    return replace(finding, reason=f"{finding.reason}; poses could be read from a cue alone, taken out here: {cue}")


def of_law(candidate: Candidate, law: Mapping[str, Any]) -> Finding:
    """The verdict of a law of poses."""
    unit, window = candidate.unit, law["window"]
    if law["is_flat"]:
        return _of_flat(candidate, law)
    low, high, estimate = law["low"], law["high"], law["estimate"]
    if law["is_open"] and law["is_cut"]:
        low = min(low, estimate)
        words = f"at least {measured(low, unit)}"
        reason = f"the data fill much of the {measured(window, unit)} to each side that were tried; no end is seen"
        return _finding(candidate, "distribution", "up to", reason, words, (estimate, low, window))
    if law["order"] > 1:
        turn = 360 / law["order"]
        words = f"by multiples of {turn:.0f}°, and around each of them by up to {measured(high, unit)}"
        reason = "the data come in several poses, all as often"
        return _finding(candidate, "distribution", "up to", reason, words, (estimate, low, high))
    if law["form"] == "several modes":
        places = ", ".join(measured(place, unit, False) for place in law["modes"])
        words = f"around poses at {places}, each by up to {measured(high, unit)}"
        reason = "the data come in several poses"
        return _finding(candidate, "distribution", "up to", reason, words, (estimate, low, high))
    if low <= 0:
        return _of_narrow(candidate, law, high, "no wider than the natural spread of poses, which cannot be told apart")
    if low <= law["resolution"]:
        return _of_narrow(candidate, law, high, "no more than about a pixel at the border, as the lattice makes alone")
    interval = f"[{measured(low, unit, False)}, {measured(high, unit, False)}]"
    words = f"up to {measured(estimate, unit)} {interval}"
    reason = "the data are spread evenly over this range, about their own middle"
    if law["form"] == "normal":
        reason = "the data are spread about their own middle, less often far from it, as much as evenly over this range"
    if law["form"] == "two ranges":
        reason = "some of the data reach this far, the others keep nearer to their own middle"
    if law["is_rejected"]:
        reason = "the data reach this far, but are not spread evenly"
    return _finding(candidate, "distribution", "up to", reason, words, (estimate, low, high))


def _of_flat(candidate: Candidate, law: Mapping[str, Any]) -> Finding:
    if not law["can_learn"]:
        reason = "a network cannot read poses even of a few examples that it knows by heart"
        return _finding(candidate, "distribution", "cannot be told", reason)
    numbers = (law["estimate"], law["low"], law["high"])
    if law["is_open"]:
        words = f"at least {measured(law['window'], candidate.unit)}"
        reason = "moves are not seen over all of the range that was tried; no end is seen"
        return _finding(
            candidate, "distribution", "up to", reason, words, (law["window"], law["window"], law["window"])
        )
    if law["told_apart"]:
        reason = "poses are told apart a little, by a gap too small to measure"
        return _finding(candidate, "distribution", "full", reason, "nearly full", numbers)
    reason = "a network that can read poses finds none that hold for other examples"
    return _finding(candidate, "distribution", "full", reason, "full", numbers)


def _of_narrow(candidate: Candidate, law: Mapping[str, Any], high: float, reason: str) -> Finding:
    numbers = (min(law["estimate"], high), 0.0, high)
    below = f"below {measured(high, candidate.unit)}"
    natural = NATURAL * law["noise"]
    is_natural = law["estimate"] < natural and high < 2 * natural
    if high <= max(SMALL * law["window"], PIXELS * law["resolution"]) or is_natural:
        return _finding(candidate, "distribution", "absent", reason, f"absent, {below}", numbers)
    return _finding(candidate, "distribution", "cannot be told", reason, f"cannot be told, {below}", numbers)


def of_space(candidate: Candidate, law: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> Finding:
    """The verdict on all rotations of space, of which turns about the axes x and y generate every one."""
    numbers = (law["estimate"], law["low"], law["high"])
    axes = {axis: results[f"rotation_{axis}"] for axis in "xyz" if f"rotation_{axis}" in results}
    full = [axis for axis, of_axis in axes.items() if of_axis.get("is_flat") and of_axis.get("can_learn")]
    narrow = [axis for axis, of_axis in axes.items() if of_axis.get("low", 1) <= 0 and not of_axis.get("is_flat")]
    if len(full) >= 2:
        reason = f"turns about {' and '.join(full)} are full, and generate all rotations"
        return _finding(candidate, "distribution", "full", reason, "full", numbers)
    if full and narrow:
        reason = f"turns about {' and '.join(full)} alone are full"
        return _finding(candidate, "distribution", "absent", reason, "absent, not about all axes", numbers)
    if law["is_flat"]:
        reason = "nothing tells poses apart: a full law, or too few examples or steps to learn from"
        return _finding(candidate, "distribution", "cannot be told", reason)
    if law["low"] > 0:
        interval = f"[{law['low']:.0f}, {law['high']:.0f}]"
        words = f"up to {measured(law['estimate'], 'degree')} {interval}"
        return _finding(candidate, "distribution", "up to", "about all axes", words, numbers)
    below = f"below {measured(law['high'], 'degree')}"
    if law["high"] > SMALL * candidate.cap:
        reason = "poses are read too coarsely to say; take more examples or steps"
        return _finding(candidate, "distribution", "cannot be told", reason, f"cannot be told, {below}", numbers)
    reason = "no wider than the natural spread of poses, which cannot be told apart"
    return _finding(candidate, "distribution", "absent", reason, f"absent, {below}", numbers)


def _of_mirrored_cloud(
    candidate: Candidate, test: Mapping[str, Any], results: Mapping[str, Any], each: float
) -> Finding:
    """The verdict on a mirror of clouds: of those in all poses, handedness alone tells mirror images."""
    finding = of_closure(candidate, test, each)
    axes = [results.get(f"rotation_{axis}", {}).get("is_flat", True) for axis in "xyz"]
    if finding.status != "full" or not all(axes):
        return finding
    reason = "clouds in all poses differ from their mirror images in handedness alone, which the network may not read"
    return _finding(candidate, "distribution", "cannot be told", reason)


def of_closure(candidate: Candidate, test: Mapping[str, Any], each: float) -> Finding:
    """The verdict of a closure test: how often moved examples are told from those that are not, less a guess."""
    low, advantage, high = advantage_interval(test, each)
    numbers = (1 - advantage, 1 - high, 1 - low)
    told = f"{advantage:.0%} are told apart beyond guessing [{low:.0%}, {high:.0%}]"
    if test["p"] < 1 - each and low > 0:
        words = f"absent, told apart in at least {low:.0%}" if low >= 0.01 else "absent, told apart a little"
        return _finding(candidate, "distribution", "absent", told, words, numbers)
    if not test["can_learn"]:
        reason = "the network does not tell moves even of a few examples that it has seen; take more steps"
        return _finding(candidate, "distribution", "cannot be told", reason)
    if high > HIDDEN_SHARE:
        reason = f"up to {high:.0%} may be told apart; take more examples"
        return _finding(candidate, "distribution", "cannot be told", reason, "cannot be told", numbers)
    return _finding(candidate, "distribution", "full", told, f"full, at most {high:.0%} told apart", numbers)


def advantage_interval(test: Mapping[str, Any], each: float) -> tuple[float, float, float]:
    """Lower end, estimate and upper end of `2 accuracy - 1`, which bounds the total variation from below.

    Example:
        >>> low, advantage, high = advantage_interval({"accuracy": 0.75, "pairs": 1000}, 0.9)
        >>> advantage, low < 0.5 < high
        (0.5, True)
    """
    from scipy.stats import norm

    pairs, accuracy = test["pairs"], test["accuracy"]
    # the count of one more example each way keeps the error from being none
    share = (accuracy * pairs + 1) / (pairs + 2)
    half = 2 * norm.ppf(0.5 + each / 2) * math.sqrt(share * (1 - share) / pairs)
    advantage = max(2 * accuracy - 1, 0.0)
    return max(2 * accuracy - 1 - half, 0.0), advantage, min(max(2 * accuracy - 1, 0.0) + half, 1.0)


def _of_task(
    candidates: Sequence[Candidate], folds: Sequence[dict[str, Any]], each: float, no_labels: str
) -> list[Finding]:
    if not folds:
        return [_finding(c, "task", "cannot be told", no_labels) for c in candidates if c.fits and c.widths]
    harm, stderr = pooled(folds)
    conditions = conditions_of(candidates)
    loss = sum(fold["loss"] for fold in folds) / len(folds)
    found = []
    for candidate in (c for c in candidates if c.fits and c.widths):
        rows = [i for i, condition in enumerate(conditions) if condition.candidate is candidate]
        curve = [(conditions[i].width, harm[i], stderr[i]) for i in rows]
        found.append(_no_better(candidate) if is_chance(folds) else of_harms(candidate, curve, loss, each))
    return found


def _no_better(candidate: Candidate) -> Finding:
    reason = "the network predicts the labels hardly better than a constant; take more examples or steps"
    return _finding(candidate, "task", "cannot be told", reason)


def of_harms(candidate: Candidate, curve: Sequence[tuple[float, float, float]], loss: float, each: float) -> Finding:
    """The verdict of the labels: up to which width augmentation does no harm.

    Args:
        candidate: whose widths were tried.
        curve: width, harm and its standard error, by width.
        loss: held-out loss without augmentation.
        each: level of one verdict.
    """
    from scipy.stats import norm

    z, margin = float(norm.ppf(each)), max(MARGIN * loss, NATS)
    harmful = [width for width, harm, stderr in curve if harm - z * stderr > 0 and harm > margin / 2]
    first = min(harmful, default=math.inf)
    sure = []
    for width, harm, stderr in curve:
        if width >= first or harm + z * stderr > margin:
            break
        sure.append(width)
    last = max(sure, default=0.0)
    worst = max(curve, key=lambda row: row[1])
    where = f"at {measured(worst[0], candidate.unit)}" if candidate.element is None else "with half of them moved"
    reason = f"held-out loss {loss:.3g}; {where} it changes by {worst[1]:+.2g} ± {worst[2]:.1g}"
    return _of_ends(candidate, last, first, [width for width, *_ in curve], reason)


def _of_ends(candidate: Candidate, last: float, first: float, widths: Sequence[float], reason: str) -> Finding:
    unit, widest = candidate.unit, max(widths)
    numbers = (last, last, min(first, candidate.cap, widest))
    if last == widest:
        words = "full" if widest >= candidate.cap else f"at least {measured(last, unit)}"
        return _finding(candidate, "task", "full" if widest >= candidate.cap else "up to", reason, words, numbers)
    if last > 0:
        end = f"[{measured(last, unit, False)}, {measured(numbers[2], unit, False)}]"
        return _finding(candidate, "task", "up to", reason, f"up to {measured(last, unit)} {end}", numbers)
    if candidate.element is not None and math.isfinite(first):
        return _finding(candidate, "task", "absent", reason, "absent, labels suffer", numbers)
    below, noisy = f"below {measured(first, unit)}", f"{reason}: too noisy to say"
    if first == min(widths):
        return _finding(candidate, "task", "absent", reason, f"absent, {below}", numbers)
    if math.isfinite(first):
        return _finding(candidate, "task", "cannot be told", noisy, f"cannot be told, {below}", numbers)
    return _finding(candidate, "task", "cannot be told", noisy, "cannot be told", numbers)


def _finding(
    candidate: Candidate,
    notion: Any,  # noqa: ANN401
    status: Any,  # noqa: ANN401
    reason: str,
    words: str = "",
    numbers: tuple[float, float, float] | None = None,
) -> Finding:
    estimate, low, high = numbers or (None, None, None)
    return Finding(
        candidate=candidate.name,
        verb=candidate.verb,
        notion=notion,
        status=status,
        words=words or status,
        reason=reason,
        unit=candidate.unit,
        estimate=estimate,
        low=low,
        high=high,
    )
