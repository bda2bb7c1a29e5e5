"""From runs of modules of your own to the findings on one data set: what their records say, without their code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from learnsym.degrees import Degree
from learnsym.files import read_json
from learnsym.measure.config import AnalysisConfig
from learnsym.report.run import advice
from learnsym.report.run.collect import error_over_seeds, history_of, merged_degrees
from learnsym.report.run.groups import ORDER
from learnsym.report.run.results import Curve, DataResult, Orbit, PoseLaw, TwinResult
from learnsym.statistics import Interval, bootstrap_seeds, over_seeds
from learnsym.training import OwnRun, find_own_runs

STUDY, POSES, RESULT = "study.json", "pose.json", "result.json"
"""What a study leaves beside its runs, and in each of them."""
REMEDY = "delete it and call ls.study again"
Result = dict[str, Any]


def own_results(folder: Path, settings: AnalysisConfig, unfinished: bool = False) -> list[DataResult]:
    """What the runs of modules of your own in a folder have found, one entry per data set.

    Args:
        folder: a run that `Run.new` has made, or a folder that holds such runs.
        settings: level and replicates of intervals.
        unfinished: whether runs may be taken that are not trained to their end.

    Raises:
        ValueError: when one cannot be read or is not trained to its end; it names the remedy.
    """
    by_label: dict[str, list[OwnRun]] = {}
    for run in find_own_runs(folder):
        by_label.setdefault(run.data, []).append(run)
    return [_data_result(label, runs, settings, unfinished) for label, runs in sorted(by_label.items())]


def _data_result(label: str, runs: list[OwnRun], settings: AnalysisConfig, unfinished: bool) -> DataResult:
    doubts = [_unfinished(run, unfinished) for run in runs if not run.is_finished]
    runs = sorted((run for run in runs if run.metrics()), key=lambda run: (ORDER.index(run.twin), run.seed))
    if not runs:
        raise ValueError(f"run: no run of {label} has made a step yet; train one with fit or ls.study")
    results = {run.path: _result(run) for run in runs}
    twins = {name: [run for run in runs if run.twin == name] for name in dict.fromkeys(run.twin for run in runs)}
    found = [_twin(name, members, results, settings) for name, members in twins.items()]
    first, learned = results[runs[0].path], twins.get("learned", [])
    of_seeds = [[vars(each) for each in run.degrees()] for run in learned if run.is_finished]
    poses, posed = _poses(runs[0])
    data = DataResult(
        label=label,
        examples=first.get("examples", 0),
        twins=found,
        degrees=[*merged_degrees(of_seeds, settings.level), *posed],
        caps=first.get("caps", {}),
        poses=poses,
        orbit=_orbit(learned, results),
        notes=[*doubts, *_notes(runs, first, settings)],
        unfinished=doubts,
    )
    return advice.advised(
        data, {name: [results[run.path] for run in members] for name, members in twins.items()}, settings
    )


def _unfinished(run: OwnRun, allowed: bool) -> str:
    state = run.state()
    text = f"has done {state['step'] if state else 0} of {run.record.get('steps', '?')} steps"
    if not allowed:
        raise ValueError(
            f"run: {run.path} {text}; continue it with fit or ls.study, or give --unfinished (in Python "
            "unfinished=True) to take it as it is"
        )
    return f"Unfinished: {run.path.name} {text}."


def _result(run: OwnRun) -> Result:
    """What a study has measured in a run; of other runs the last scores in the metrics."""
    if (run.path / RESULT).is_file():
        return read_json(run.path / RESULT, "run", REMEDY, {"scores": list, "score": str})
    records = run.metrics()
    for split in ("test", "val", "train"):
        last = next((record for record in reversed(records) if record["split"] == split), None)
        if last is not None:
            name = next((name for name in ("accuracy", "task", "loss") if name in last), None)
            if name is not None:
                shown = "accuracy" if name == "accuracy" else f"{_SPLITS[split]} loss"
                return {"score": shown, "value": last[name], "on": _SPLITS[split]}
    raise ValueError(f"run: {run.path} records no score; let validate of fit return a number, such as accuracy")


_SPLITS = {"test": "test", "val": "validation", "train": "training"}


def _twin(name: str, runs: Sequence[OwnRun], results: dict[Path, Result], settings: AnalysisConfig) -> TwinResult:
    own = [results[run.path] for run in runs]
    turned = [result["turned"] for result in own if result.get("turned")]
    return TwinResult(
        name=name,
        seeds=[run.seed for run in runs],
        accuracy=score_of(own, settings),
        score=own[0]["score"],
        by_angle=_curve(own[0]["angles"], turned, settings) if turned else None,
        error=error_over_seeds([result["error"] for result in own if result.get("error")]),
        histories=[history_of(run) for run in runs],
    )


def score_of(results: Sequence[Result], settings: AnalysisConfig) -> Interval:
    """The mean score over seeds: with a bootstrap over examples and seeds where scores of examples are kept."""
    if any("scores" not in result for result in results):
        return over_seeds([float(result.get("value", np.mean(result.get("scores", 0.0)))) for result in results])
    estimate, low, high = bootstrapped([[result["scores"]] for result in results], settings)
    return Interval(estimate=estimate[0], low=low[0], high=high[0])


def bootstrapped(values: Sequence[Any], settings: AnalysisConfig) -> list[list[float]]:
    """Means with the ends of their intervals, over seeds and examples."""
    arrays = [np.asarray(of_run, dtype=float) for of_run in values]
    return [each.tolist() for each in bootstrap_seeds(arrays, settings.bootstrap, settings.level, settings.seed)]


def _curve(angles: list[float], turned: Sequence[Any], settings: AnalysisConfig) -> Curve:
    return Curve(x=angles, **dict(zip(("mean", "low", "high"), bootstrapped(turned, settings), strict=True)))


def _poses(run: OwnRun) -> tuple[list[PoseLaw], list[Degree]]:
    path = run.path.parent / POSES
    if not (path.is_file() and (run.path.parent / STUDY).is_file()):
        return [], []
    kept = [each for each in read_json(path, "run", REMEDY)["laws"].values() if "law" in each]
    laws = [PoseLaw(**{**each["law"], "half_width": Interval(**each["law"]["half_width"])}) for each in kept]
    return laws, [Degree(**{**degree, "data": run.data}) for each in kept for degree in each["degrees"]]


def _orbit(learned: Sequence[OwnRun], results: dict[Path, Result]) -> Orbit | None:
    shown = results[learned[0].path].get("orbit") if learned else None
    if not shown:
        return None
    seed = learned[0].seed
    return Orbit(
        **shown,
        caption=f"Left: test examples. Right: each moved by draws from the distribution learned with seed {seed}.",
    )


def _notes(runs: Sequence[OwnRun], first: Result, settings: AnalysisConfig) -> list[str]:
    seeds = len({run.seed for run in runs})
    over = f"{seeds} seeds" if seeds > 1 else "one seed"
    record = runs[0].record
    notes = [f"Trained in Python: the network {record.get('network')}, its code lies in {runs[0].path.name}/code."]
    if "scores" in first:
        notes.append(f"Scores: mean over {over}, {settings.level:.0%} percentile bootstrap over test examples.")
    else:
        notes.append(
            f"Scores are those of {first['on']} examples, the last in the metrics; no test scores are recorded."
        )
    return [*notes, *first.get("notes", [])]
