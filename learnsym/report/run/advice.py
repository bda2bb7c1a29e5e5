"""What to take away from twins of a network of your own: what helped, and which twin to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from learnsym.degrees import Degree
from learnsym.measure.config import AnalysisConfig
from learnsym.report.run.results import DataResult
from learnsym.report.words import Verdict, in_unit, interval, true_minus
from learnsym.statistics import Interval, bootstrap_seeds

MOVES = {
    "rotation": "turns by up to {}",
    "translation_x": "shifts sideways by up to {}",
    "translation_y": "shifts up and down by up to {}",
    "scale": "zooms by up to {}",
}


def advised(data: DataResult, results: Mapping[str, Sequence[dict[str, Any]]], settings: AnalysisConfig) -> DataResult:
    """The findings with verdicts: what the learned twin chose, and which twin was best on validation examples."""
    found = [verdict for verdict in (helped(data.degrees), chosen(results, settings)) if verdict is not None]
    return replace(data, verdicts=found)


def helped(degrees: Sequence[Degree]) -> Verdict | None:
    """Which moves the learned twin chose; None when nothing was learned at the input."""
    learned = [degree for degree in degrees if degree.notion == "task" and degree.site == "input"]
    if not learned:
        return None
    headline = "Learned: " + ", ".join(map(_move, learned))
    detail = "The range of moves that the learned twin chose for its inputs while it trained: " + "; ".join(
        f"{degree.generator.replace('_', ' ')} {interval(degree, degree.unit)}" for degree in learned
    )
    return Verdict(headline=headline, detail=f"{detail}.")


def _move(degree: Degree) -> str:
    if degree.unit == "probability":
        kind = "mirrored" if degree.generator.startswith("reflection") else degree.generator
        return f"{kind} {degree.estimate:.0%} of the time"
    text = MOVES.get(degree.generator, f"{degree.generator.replace('_', ' ')} up to {{}}")
    return text.format(in_unit(degree.estimate, degree.unit))


def best_twin(results: Mapping[str, Sequence[dict[str, Any]]]) -> str | None:
    """The twin of the lowest mean loss on validation examples; None where not all have one, or there is one twin."""
    losses = {name: [result.get("val") for result in members] for name, members in results.items()}
    if len(losses) < 2 or any(loss is None for members in losses.values() for loss in members):
        return None
    return min(losses, key=lambda name: float(np.mean(np.asarray(losses[name], dtype=float))))


def chosen(results: Mapping[str, Sequence[dict[str, Any]]], settings: AnalysisConfig) -> Verdict | None:
    """Which twin to take, chosen on validation examples, and how it does beside the plain one on test examples."""
    best = best_twin(results)
    if best is None:
        return None
    rule = "It has the lowest loss on validation examples, by which it was chosen"
    if best == "plain" or "plain" not in results:
        return Verdict(headline=f"Take the {best} twin", detail=f"{rule}.")
    gain = _difference(results[best], results["plain"], settings)
    score, text = results[best][0]["score"], _in_points(gain, results[best][0]["score"])
    low, high = gain.ends
    sure = "" if low > 0 or high < 0 else ", which cannot be told from none"
    detail = f"{rule}; on test examples its {score} differs from that of the plain twin by {text}{sure}."
    return Verdict(headline=f"Take the {best} twin: {text} over plain", detail=detail)


def _difference(a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]], settings: AnalysisConfig) -> Interval:
    """The mean difference of scores over seeds and test examples, paired over both."""
    pairs = [np.asarray([x["scores"]]) - np.asarray([y["scores"]]) for x, y in zip(a, b, strict=True)]
    values = bootstrap_seeds(pairs, settings.bootstrap, settings.level, settings.seed)
    return Interval(**dict(zip(("estimate", "low", "high"), (float(each[0]) for each in values), strict=True)))


def _in_points(gain: Interval, score: str) -> str:
    scale, unit = (100.0, " points") if score == "accuracy" else (1.0, "")
    low, high = gain.ends
    digits = ".1f" if scale > 1 else ".3g"
    texts = [true_minus(format(scale * value, digits)) for value in (gain.estimate, low, high)]
    sign = "+" if gain.estimate > 0 else ""
    return f"{sign}{texts[0]}{unit} [{texts[1]}, {texts[2]}]"
