"""Training: loop, run folder, checkpoints, resume, data-parallel; a callback of Lightning."""

from __future__ import annotations

import importlib
from typing import Any

from learnsym.training.build import build, build_model, build_objective, members
from learnsym.training.config import OptimiserConfig, RunConfig, TrainConfig
from learnsym.training.config_file import dump_config, read_config
from learnsym.training.ensemble import EnsembleHistory, MembersNonFinite, fit_ensemble
from learnsym.training.evaluate import evaluate, predict
from learnsym.training.history import History
from learnsym.training.label_maps import foreground_scores
from learnsym.training.linear_probe import LinearProbe, linear_probe
from learnsym.training.loop import fit
from learnsym.training.member import train_member
from learnsym.training.non_finite import NonFiniteLoss
from learnsym.training.own_run import OwnRun, find_own_runs
from learnsym.training.run import Run, find_runs
from learnsym.training.side_by_side import MembersFailed, train
from learnsym.training.signals import Interrupted

__all__ = [
    "EnsembleHistory",
    "History",
    "Interrupted",
    "LinearProbe",
    "MembersFailed",
    "MembersNonFinite",
    "NonFiniteLoss",
    "OptimiserConfig",
    "OwnRun",
    "Run",
    "RunConfig",
    "SymmetryCallback",  # pyright: ignore[reportUnsupportedDunderAll]  resolved below
    "TrainConfig",
    "build",
    "build_model",
    "build_objective",
    "dump_config",
    "evaluate",
    "find_own_runs",
    "find_runs",
    "fit",
    "fit_ensemble",
    "foreground_scores",
    "linear_probe",
    "members",
    "predict",
    "read_config",
    "train",
    "train_member",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """`SymmetryCallback` on first use, since Lightning takes seconds to import."""
    if name != "SymmetryCallback":
        raise AttributeError(f"module 'learnsym.training' has no attribute {name!r}")
    return importlib.import_module("learnsym.training.lightning").SymmetryCallback
