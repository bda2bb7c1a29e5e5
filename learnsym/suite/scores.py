"""Scores: how right each estimator is, and how far its network stays behind the better twin, over many tasks.

Legend: an *entry* is a cell with what was computed for it, as plain values.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from learnsym.data.known import Range, task_by_name
from learnsym.statistics import Interval, over_seeds
from learnsym.suite.twins import TOLD

MARGIN = 0.002
"""Accuracy by which a network may stay behind the better twin."""
FORMS = {"box": "uniform", "normal": "normal", "modes": "several modes", "two ranges": "two ranges"}
"""Name that a law of poses gives to each shape."""
Entry = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Score:
    """One row of the table: a method with a chooser, on one half of the tasks; None where there is nothing to score.

    Args:
        estimator: method and chooser.
        half: of the tasks.
        tasks: number of tasks with an answer.
        unfit: number of tasks that do not fit.
        error: mean error of ranges, as a share of the largest one.
        coverage: share of the intervals that hold the truth.
        width: median width of an interval, as a share of the largest range.
        spread: root mean square of errors over standard errors, of intervals with both ends inside of the range.
        shapes: share of the laws whose shape is right: uniform, normal, several modes or two ranges.
        auc: probability that a symmetry that is there has a higher score than one that is not.
        false_positives: share of tasks without symmetry of which it says that there is some.
        missed: share of tasks with a symmetry of which it says that there is none.
        accuracy: mean over tasks, of the learned network.
        told: the same of the twins that are told the answer, by arm.
        regret: of the learned network against the better twin of each task, mean over tasks, over seeds.
        surely_worse: tasks of which the interval says that it is behind by more than 0.2 points.
        compared: tasks with a better twin.
        cost: median cost in plain trainings.
    """

    estimator: str
    half: str
    tasks: int
    unfit: int
    error: float | None = None
    coverage: float | None = None
    width: float | None = None
    spread: float | None = None
    shapes: float | None = None
    auc: float | None = None
    false_positives: float | None = None
    missed: float | None = None
    accuracy: float | None = None
    told: dict[str, float]
    regret: Interval | None = None
    surely_worse: int = 0
    compared: int = 0
    cost: float | None = None


def scores_of(entries: Sequence[Entry], level: float) -> list[Score]:
    """A score for each estimator and half of the tasks."""
    keys = dict.fromkeys((e["estimator"], e["half"]) for e in entries if e["arm"] in ("", "learned"))
    return [_score(entries, estimator, half, level) for estimator, half in sorted(keys, key=_order)]


def _order(key: tuple[str, str]) -> tuple[str, bool]:
    return key[1], "×" in key[0]


def _score(entries: Sequence[Entry], estimator: str, half: str, level: float) -> Score:
    own = [e for e in entries if (e["estimator"], e["half"]) == (estimator, half) and e["arm"] in ("", "learned")]
    answered = [e for e in own if not e["reason"]]
    behind = regrets(entries, answered)
    return Score(
        estimator=estimator,
        half=half,
        tasks=len({e["task"] for e in answered}),
        unfit=len({e["task"] for e in own}) - len({e["task"] for e in answered}),
        **_of_degrees([e for e in answered if "estimate" in e["result"]], level),
        shapes=_mean([_has_shape(e) for e in answered if "form" in e["result"] and _shape(e) != "none"]),
        **_of_presence([e for e in answered if "score" in e["result"]]),
        accuracy=_mean([e["result"]["accuracy"] for e in answered if "accuracy" in e["result"]]),
        told=_told(entries, answered),
        regret=_overall(list(behind.values()), level),
        surely_worse=sum(_ends(values, level)[0] > MARGIN for values in behind.values()),
        compared=len(behind),
        cost=_median([e["result"]["cost"] for e in answered if "cost" in e["result"]]),
    )


def _of_degrees(entries: Sequence[Entry], level: float) -> dict[str, float | None]:
    from scipy.stats import norm

    errors, covered, widths, squares = [], [], [], []
    quantile = float(norm.ppf(0.5 + level / 2))
    for entry in entries:
        truth, found = task_by_name(entry["task"]).truth, entry["result"]
        assert isinstance(truth, Range)  # of which estimates are made
        errors.append(abs(found["estimate"] - truth.half_width) / truth.cap)
        if found["low"] is not None:
            covered.append(_covers(found["low"], found["high"], truth.half_width))
            widths.append((min(found["high"], truth.cap) - found["low"]) / truth.cap)
            if 0 < found["low"] < found["high"] < truth.cap:
                stderr = (found["high"] - found["low"]) / (2 * quantile)
                squares.append(((found["estimate"] - truth.half_width) / stderr) ** 2)
    spread = math.sqrt(statistics.fmean(squares)) if squares else None
    return {"error": _mean(errors), "coverage": _mean(covered), "width": _median(widths), "spread": spread}


def _shape(entry: Entry) -> str:
    truth = task_by_name(entry["task"]).truth
    assert isinstance(truth, Range)  # of which laws are read
    return truth.shape


def _has_shape(entry: Entry) -> float:
    return float(entry["result"]["form"] == FORMS[_shape(entry)])


def _of_presence(entries: Sequence[Entry]) -> dict[str, float | None]:
    there = {e["task"]: task_by_name(e["task"]).truth.present for e in entries}
    present = [e["result"]["score"] for e in entries if there[e["task"]]]
    absent = [e["result"]["score"] for e in entries if not there[e["task"]]]
    claimed = [float(e["result"]["says"]) for e in entries if not there[e["task"]]]
    missed = [1.0 - e["result"]["says"] for e in entries if there[e["task"]]]
    return {"auc": auc(present, absent), "false_positives": _mean(claimed), "missed": _mean(missed)}


def auc(present: Sequence[float], absent: Sequence[float]) -> float | None:
    """Probability that one that is there scores higher than one that is not, ties counting half; None without both.

    Example:
        >>> from learnsym.suite.scores import auc
        >>> auc([1.0, 0.5], [0.5, 0.0])
        0.875
    """
    pairs = [(a > b) + 0.5 * (a == b) for a in present for b in absent]
    return _mean(pairs)


def calibration(entries: Sequence[Entry]) -> dict[str, list[tuple[float, float, int]]]:
    """Nominal level, share of intervals that hold the truth, and their number, by domain."""
    found: dict[str, dict[float, list[float]]] = {}
    for entry in entries:
        truth = task_by_name(entry["task"]).truth
        for nominal, (low, high) in entry["result"].get("levels", {}).items():
            assert isinstance(truth, Range)  # of which intervals are made
            by_level = found.setdefault(entry["domain"], {})
            by_level.setdefault(float(nominal), []).append(_covers(low, high, truth.half_width))
    return {
        domain: [(level, statistics.fmean(held), len(held)) for level, held in sorted(levels.items())]
        for domain, levels in found.items()
    }


def regrets(entries: Sequence[Entry], learned: Sequence[Entry]) -> dict[str, list[float]]:
    """Accuracy of the better twin minus that of the learned one, seed by seed, for each task that has both.

    The better twin is the one with the higher mean over the seeds, in hindsight.
    """
    found = {}
    for task in dict.fromkeys(e["task"] for e in learned if "accuracy" in e["result"]):
        own = {e["seed"]: e["result"]["accuracy"] for e in learned if e["task"] == task}
        method = next(e["method"] for e in learned if e["task"] == task)
        twins = [_by_seed(entries, task, method, arm) for arm in TOLD]
        shared = [twin for twin in twins if twin and twin.keys() >= own.keys()]
        if shared:
            better = max(shared, key=lambda twin: statistics.fmean(twin[seed] for seed in own))
            found[task] = [better[seed] - own[seed] for seed in own]
    return found


def _by_seed(entries: Sequence[Entry], task: str, method: str, arm: str) -> dict[int, float]:
    return {
        e["seed"]: e["result"]["accuracy"]
        for e in entries
        if (e["task"], e["method"], e["arm"]) == (task, method, arm) and not e["reason"]
    }


def _told(entries: Sequence[Entry], learned: Sequence[Entry]) -> dict[str, float]:
    methods = {(e["task"], e["method"], e["seed"]) for e in learned if "accuracy" in e["result"]}
    means = {
        arm: _mean(
            [
                e["result"]["accuracy"]
                for e in entries
                if e["arm"] == arm and (e["task"], e["method"], e["seed"]) in methods and not e["reason"]
            ]
        )
        for arm in TOLD
    }
    return {arm: value for arm, value in means.items() if value is not None}


def _overall(behind: list[list[float]], level: float) -> Interval | None:
    """The mean over tasks, with an interval over the seeds that all tasks share."""
    count = min(map(len, behind), default=0)
    if not count:
        return None
    return over_seeds([statistics.fmean(values[seed] for values in behind) for seed in range(count)], level)


def _ends(values: list[float], level: float) -> tuple[float, float]:
    """The interval of one task over seeds, without ends for a single one."""
    interval = over_seeds(values, level)
    return (-math.inf, math.inf) if interval.low is None else interval.ends


def _covers(low: float, high: float, truth: float) -> float:
    return float(low - 1e-9 <= truth <= high + 1e-9)


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
