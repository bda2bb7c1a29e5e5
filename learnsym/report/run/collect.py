"""From the results of pieces to the findings on one data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from learnsym.degrees import Degree
from learnsym.files import read_json
from learnsym.measure import task_extent
from learnsym.measure.config import AnalysisConfig
from learnsym.measure.task_extent import MARGIN
from learnsym.report.run.groups import DataGroup
from learnsym.report.run.plan import Plan
from learnsym.report.run.results import (
    Curve,
    DataResult,
    EquivarianceError,
    ExtentCurve,
    History,
    Orbit,
    PoseLaw,
    TwinResult,
)
from learnsym.statistics import Interval, bootstrap_seeds, over_seeds
from learnsym.training.folder import RunFolder
from learnsym.training.run import Run

Computed = dict[Path, dict[str, Any]]


def data_result(group: DataGroup, plan: Plan, computed: Computed, settings: AnalysisConfig) -> DataResult:
    """Everything found about one data set.

    Args:
        group: its runs.
        plan: its pieces.
        computed: result of each piece, by the file that keeps it.
        settings: what the analysis computes, and how.
    """
    by_run = {path: computed[piece.path] for path, piece in plan.runs.items()}
    laws = [
        PoseLaw(**_pose_fields(computed[piece.path])) for piece in plan.poses.values() if "law" in computed[piece.path]
    ]
    notes = [
        *plan.notes,
        *(computed[piece.path]["reason"] for piece in plan.poses.values() if "reason" in computed[piece.path]),
    ]
    extent, extent_degrees = _extent(group, plan, computed, settings)
    learned = group.twins().get("learned", [])
    degrees = [
        *merged_degrees([by_run[run.path]["degrees"] for run in learned], settings.level),
        *extent_degrees,
        *(Degree(**degree) for piece in plan.poses.values() for degree in computed[piece.path].get("degrees", [])),
    ]
    return DataResult(
        label=group.label,
        examples=by_run[group.first.path]["examples"],
        twins=[_twin(name, runs, by_run, settings) for name, runs in group.twins().items()],
        degrees=[_labelled(degree, group.label) for degree in degrees],
        caps=_caps(group.first),
        poses=laws,
        extent=extent,
        orbit=_orbit(learned, by_run),
        notes=[*group.notes, *notes, *_methods(group, settings)],
        unfinished=list(group.notes),
    )


def environment_of(run: RunFolder) -> dict[str, str]:
    """Versions and device of a run, flat."""
    path = run.path / "env.json"
    if not path.exists():
        return {}
    content = read_json(path, "run", "delete it, it is only shown in the report")
    flat = {
        **{key: value for key, value in content.items() if not isinstance(value, dict)},
        **(versions if isinstance(versions := content.get("versions"), dict) else {}),
    }
    return {key: str(value) for key, value in flat.items() if value is not None}


def _twin(name: str, runs: Sequence[Run], by_run: Computed, settings: AnalysisConfig) -> TwinResult:
    results = [by_run[run.path] for run in runs]
    means = {
        name: _bootstrapped([[run_result["also"][name]] for run_result in results], settings)
        for name in results[0].get("also", {})
    }
    accuracy = _bootstrapped([[run_result["scores"]] for run_result in results], settings)
    angles = [float(angle) for angle in results[0]["angles"]]
    turned = _bootstrapped([run_result["turned"] for run_result in results], settings) if angles else None
    return TwinResult(
        name=name,
        seeds=[run.seed for run in runs],
        accuracy=_interval(accuracy),
        score=results[0]["score"],
        also={name: _interval(values) for name, values in means.items()},
        by_angle=Curve(x=angles, **dict(zip(("mean", "low", "high"), turned, strict=True))) if turned else None,
        error=error_over_seeds([run_result["error"] for run_result in results if run_result["error"]]),
        histories=[history_of(run) for run in runs],
    )


def _interval(bootstrapped: Sequence[Sequence[float]]) -> Interval:
    estimate, low, high = (values[0] for values in bootstrapped)
    return Interval(estimate=estimate, low=low, high=high)


def _bootstrapped(scores: Sequence[Any], settings: AnalysisConfig) -> list[list[float]]:
    arrays = [np.asarray(of_run, dtype=float) for of_run in scores]
    return [values.tolist() for values in bootstrap_seeds(arrays, settings.bootstrap, settings.level, settings.seed)]


def error_over_seeds(errors: Sequence[dict[str, Any]]) -> EquivarianceError | None:
    """The mean over seeds, with its standard error over examples; None without any."""
    if not errors:
        return None
    # standard error over examples of the mean over seeds
    per_sample = np.mean([error["per_sample"] for error in errors], axis=0)
    stderr = float(per_sample.std(ddof=1) / len(per_sample) ** 0.5) if len(per_sample) > 1 else 0.0
    return EquivarianceError(
        mean=float(per_sample.mean()), stderr=stderr, floor=float(np.mean([error["floor"] for error in errors]))
    )


def history_of(run: RunFolder) -> History:
    """What the training of a run logged."""
    steps: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    for record in run.metrics():
        for key, value in record.items():
            name = key if key.startswith("half_width/") else f"{record.get('split')}/{key}"
            if key in ("step", "split") or not isinstance(value, int | float) or record.get("split") == "test":
                continue
            steps.setdefault(name, []).append(record["step"])
            values.setdefault(name, []).append(float(value))
    return _thinned(History(seed=run.seed, steps=steps, values=values))


def _thinned(history: History, most: int = 100) -> History:
    # a curve of a hundred points looks the same, and the page stays small
    strides = {key: max(len(values) // most, 1) for key, values in history.values.items()}
    steps = {key: history.steps[key][:: strides[key]] for key in strides}
    return History(
        seed=history.seed, steps=steps, values={key: history.values[key][:: strides[key]] for key in strides}
    )


def merged_degrees(of_seeds: Sequence[Sequence[dict[str, Any]]], level: float) -> list[Degree]:
    """The mean of each degree over seeds, with Student's interval; of one seed what it says itself."""
    per_seed = [[Degree(**degree) for degree in degrees] for degrees in of_seeds]
    if len(per_seed) < 2:
        return per_seed[0] if per_seed else []
    merged = []
    for same in zip(*per_seed, strict=True):
        value = over_seeds([degree.estimate for degree in same], level).clipped(0.0, same[0].most)
        fields = {**vars(same[0]), "estimate": value.estimate, "low": value.low, "high": value.high, "level": level}
        merged.append(Degree(**{**fields, **_common_status(same)}))
    return merged


SEVEREST = ("cannot be learned", "rejected", "not converged", "bound only", "no interval", "ok")
"""The status of a mean over seeds is the first of these that a seed has."""


def _common_status(same: Sequence[Degree]) -> dict[str, str]:
    """Status and reason of the mean of degrees that seeds found: as doubtful as the most doubtful one."""
    status = min((degree.status for degree in same), key=SEVEREST.index)
    if status == "no interval":  # seeds have one together
        return {"status": "ok", "reason": ""}
    doubtful = [degree for degree in same if degree.doubt]
    alike = all(degree.status == status for degree in doubtful)  # and then not said again for each
    counts = Counter(degree.reason if alike else degree.doubt for degree in doubtful)
    reasons = [f"{count} of {len(same)} seeds: {reason}" for reason, count in counts.items()]
    return {"status": status, "reason": "; ".join(reasons)}


def _labelled(degree: Degree, label: str) -> Degree:
    return Degree(**{**vars(degree), "data": label})


def _caps(run: Run) -> dict[str, float]:
    moved = run.config.method.moved(run.signature())
    generators = () if moved is None else moved.group.generators
    return {generator.name: generator.cap / generator.per_unit for generator in generators}


def _orbit(learned: Sequence[Run], by_run: Computed) -> Orbit | None:
    if not learned or not by_run[learned[0].path].get("orbit"):
        return None
    caption = (
        f"Left: test examples. Right: each moved by draws from the distribution learned with seed {learned[0].seed}."
    )
    return Orbit(**by_run[learned[0].path]["orbit"], caption=caption)


def _methods(group: DataGroup, settings: AnalysisConfig) -> list[str]:
    seeds = len({run.seed for run in group.runs})
    over = f"{seeds} seeds" if seeds > 1 else "one seed"
    notes = [
        f"Accuracy or error: mean over {over}, {settings.level:.0%} percentile bootstrap over test examples"
        f"{' and seeds' if seeds > 1 else ' alone (one seed)'} ({settings.bootstrap} replicates).",
    ]
    if "learned" in group.twins():
        half = (
            f"mean over {seeds} seeds, Student's interval"
            if seeds > 1
            else "one seed, with the interval of the method if any"
        )
        chooser = group.twins()["learned"][0].config.chooser
        notes.append(f"Learned degrees: {half}. {chooser.note}".rstrip())
    signature, method = group.first.signature(), group.first.config.method
    symmetry = method.tested(signature).name
    notes.append(method.note())
    law = method.law(signature)
    drawn = "all of" if law is None else f"elements up to {law.widths().max() / 2:.2g} from the identity of"
    of = "class probabilities" if signature.classes else "outputs"
    notes.append(
        f"Equivariance error: of the {of}, under {drawn} {symmetry}, relative to the distance between "
        "outputs of different examples; mean over seeds, standard error over test examples."
    )
    return notes


def _extent(
    group: DataGroup, plan: Plan, computed: Computed, settings: AnalysisConfig
) -> tuple[ExtentCurve | None, list[Degree]]:
    if not plan.widths:
        return None, []
    name, owner = settings.task_extent.generator, group.first.config.method.varied()
    assert owner is not None  # since there are widths
    generator = next(generator for generator in owner.generators if generator.name == name)
    losses = torch.tensor([[computed[piece.path]["loss"] for piece in pieces] for pieces in plan.widths.values()])
    extent, margin = task_extent(losses, list(plan.widths)), _margin(losses, group)
    cap = generator.cap / generator.per_unit
    said = {"group": owner.name, "generator": name, "unit": generator.unit, "data": group.label, "cap": cap}
    degrees = [extent.degree(**said), extent.harmless_degree(margin=margin, level=settings.level, **said)]
    own = {"generator": name, "unit": generator.unit, "cap": cap, "margin": margin}
    return ExtentCurve(**own, harmless=extent.harmless(margin, settings.level), **vars(extent)), degrees


def _margin(losses: torch.Tensor, group: DataGroup) -> float:
    """Harm that counts as none: of squared errors as many nats of a normal law of the least mean error."""
    if group.first.signature().classes:
        return MARGIN
    # the negative log-likelihood is log(error) / 2 at the best variance
    least = float(losses.mean((1, 2)).min())
    return max(2 * MARGIN * least, torch.finfo(losses.dtype).tiny)


def _pose_fields(result: dict[str, Any]) -> dict[str, Any]:
    law = result["law"]
    return {**law, "half_width": Interval(**law["half_width"])}
