"""`scaling.json`: what a study has found, without its resamples."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from learnsym.files import write_json
from learnsym.scaling.arm import ArmStudy
from learnsym.scaling.bootstrap import LawIntervals
from learnsym.scaling.frontier import Band, Frontier
from learnsym.scaling.isoflop import IsoFlop
from learnsym.scaling.pair import PairStudy
from learnsym.scaling.repeated_intervals import RepeatedIntervals
from learnsym.scaling.study import Study
from learnsym.statistics import Interval

VERSION = 1


def write_study(study: Study, path: Path) -> None:
    """Write all numbers of a study, see `docs/scaling.md`."""
    write_json(path, as_json(study), indent=1, allow_nan=False)


def as_json(study: Study) -> dict[str, Any]:
    """The study as numbers, lists and strings; infinities are null."""
    settings = study.settings
    content = {
        "version": VERSION,
        **{name: getattr(settings, name) for name in ("loss", "flops", "level", "replicates", "seed")},
        "arms": {arm.runs.arm: _arm(arm) for arm in study.arms},
        "pairs": [_pair(pair) for pair in study.pairs],
        "notes": list(study.notes),
    }
    return _plain(content)


def _arm(arm: ArmStudy) -> dict[str, Any]:
    runs = arm.runs
    return {
        "runs": len(runs.loss),
        "cells": runs.cell_count,
        "fitted_runs": len(arm.fitted.loss),
        "N": [runs.N.min(), runs.N.max()],
        "D": [runs.D.min(), runs.D.max()],
        "epochs": [runs.epochs.min(), runs.epochs.max()],
        "delta": arm.delta,
        "cost": {kind: vars(cost) for kind, cost in arm.costs.items()},
        "laws": {"with_E": _law(arm.with_E), "without_E": _law(arm.without_E)},
        "chosen": "with_E" if arm.irreducible else "without_E",
        "frontier": {kind: _frontier(result) for kind, result in arm.frontiers.items()},
        "isoflop": {kind: _isoflop(result) for kind, result in arm.isoflops.items()},
        "repeated": _repeated(arm.repeated),
    }


def _law(intervals: LawIntervals | str) -> dict[str, Any]:
    if isinstance(intervals, str):
        return {"problem": intervals}
    names = ("E", "A", "a", "B", "b", "a_opt", "b_opt")
    return {name: _valued(getattr(intervals, name)) for name in names}


def _frontier(line: Frontier) -> dict[str, Any]:
    exponents = {"N": _valued(line.N_exponent), "D": _valued(line.D_exponent)}
    return {"C": line.C, "exponents": exponents, **{name: _band(getattr(line, name)) for name in ("loss", "N", "D")}}


def _band(band: Band) -> dict[str, Any]:
    return {"estimate": band.value, "low": band.low, "high": band.high}


def _isoflop(profile: IsoFlop | str) -> dict[str, Any]:
    return {"problem": profile} if isinstance(profile, str) else vars(profile)


def _repeated(intervals: RepeatedIntervals | str) -> dict[str, Any]:
    if isinstance(intervals, str):
        return {"problem": intervals}
    law = intervals.law.law
    return {
        **{name: getattr(law, name) for name in ("E", "A", "B")},
        **{name: _valued(getattr(intervals, name)) for name in ("R_star", "a", "b")},
    }


def _pair(pair: PairStudy) -> dict[str, Any]:
    comparison = pair.comparison
    shared = [{name: getattr(law, name) for name in ("E", "A", "a", "B", "b")} for law in comparison.shared]
    return {
        **{name: getattr(pair, name) for name in ("first", "second", "kind")},
        "p_same_exponents": comparison.p_value,
        "differences": {name: _valued(getattr(comparison, name)) for name in ("a", "b", "a_opt")},
        "laws_with_shared_exponents": shared,
        "paired_cells": comparison.paired,
        "C": comparison.C,
        "log_loss_ratio": [interval.ends for interval in comparison.log_ratio],
        "slope_of_log_loss_ratio": comparison.slope.ends,
        "compute_ratio": [_valued(ratio) for ratio in pair.ratios],
    }


def _valued(interval: Interval) -> dict[str, float | None]:
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
