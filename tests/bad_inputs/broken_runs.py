"""Whole folders of a run, a comparison and a study, for rows that break one file in them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from learnsym.training import Run, fit, members, train
from learnsym.training.config_file import config_of

CONFIG = {
    "data": {"name": "digits", "size": 8, "train": 64, "val": 32, "test": 32},
    "net": {"name": "mlp", "width": 8, "depth": 1},
    "twin": "plain",
    "train": {"steps": 2, "batch_size": 16, "eval_every": 2, "device": "cpu"},
}
YAML = json.dumps(CONFIG)  # JSON is YAML

Files = dict[str, Any]


@cache
def _trained() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        (run,) = train(config_of(CONFIG), Path(folder) / "run")
        return _content(run.path)


@cache
def _of_own_module() -> dict[str, bytes]:
    """A run that `fit` has made with a module that no configuration describes."""
    from learnsym.objectives import Supervised

    with tempfile.TemporaryDirectory() as folder:
        ((config, path),) = members(config_of(CONFIG), Path(folder) / "run")
        run = Run.create(path, config)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        fit(
            model,
            Supervised(nn.functional.cross_entropy),
            [(torch.rand(8, 1, 8, 8), torch.arange(8))],
            steps=2,
            run=run,
        )
        return _content(run.path)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _written(make: Callable[[], dict[str, bytes]]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name, content in make().items():
            (folder / name).write_bytes(content)

    return write


RUN: Files = {"run": _written(_trained)}
OWN: Files = {"run": _written(_of_own_module)}


def broken(name: str, content: object) -> Files:
    """A whole run, then one of its files with other content, or changed by a function of its path."""
    return {**RUN, f"run/{name}": content}


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def folder(path: Path) -> None:
    """A folder in place of a file."""
    path.unlink(missing_ok=True)
    path.mkdir()


def gone(path: Path) -> None:
    """No such file."""
    path.unlink()


def state(**changes: object) -> Callable[[Path], None]:
    """Other entries of `state.pt`; None takes one out."""

    def change(path: Path) -> None:
        content = {**torch.load(path, weights_only=True), **changes}
        torch.save({key: value for key, value in content.items() if value is not None}, path)

    return change


def edited(**changes: object) -> Callable[[Path], None]:
    """Other entries of a JSON file; None takes one out."""

    def change(path: Path) -> None:
        content = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))

    return change


ARMS = {"base": {key: CONFIG[key] for key in ("data", "net", "train")}, "arms": {"plain": {"twin": "plain"}}}
ROW = {
    **{
        "cell": "a",
        "state": "finished",
        "failure": None,
        "arm": "plain",
        "train": 64,
        "size": 8,
        "width": 8,
        "steps": 2,
    },
    **{"batch_size": 16, "seed": 0, "lr": 1e-3, "parameters": 10, "samples": 32, "degrees": "[]"},
    **dict.fromkeys(("flops_counted", "flops_nominal", "flops_inference", "epochs", "compute_counted"), 1.0),
    **dict.fromkeys(("compute_nominal", "seconds", "val_loss", "test_loss"), 1.0),
}
PLAN = {"version": 1, "made_of": [], "networks": [], "cells": {"a": "a cell", "b": "another"}}


def as_row(**changes: object) -> str:
    """The row of a cell `b`, with other entries; None takes one out."""
    return json.dumps({key: value for key, value in {**ROW, "cell": "b", **changes}.items() if value is not None})


def comparison_alone() -> Files:
    """The configuration of a comparison."""
    return {"c.yaml": json.dumps(ARMS)}


def comparison(**changes: object) -> Files:
    """A folder of a comparison with one row, and other files in it, by path with `__` for a slash."""
    files = {"plan.json": json.dumps(PLAN), "rows/a.json": json.dumps(ROW), "comparison.yaml": json.dumps(ARMS)}
    given = {re.sub("_(json|parquet)$", r".\1", name.replace("__", "/")): value for name, value in changes.items()}
    return {**comparison_alone(), **{f"out/{name}": content for name, content in {**files, **given}.items()}}


def table(**changes: object) -> Callable[[Path], None]:
    """A table of one row, with other columns; None takes one out."""

    def write(path: Path) -> None:
        from pandas import DataFrame

        row = {key: value for key, value in {**ROW, **changes}.items() if value is not None}
        DataFrame([row]).to_parquet(path, index=False)

    return write


def arms(name: str) -> Files:
    """A configuration of a comparison with one arm of this name."""
    return {"c.yaml": yaml.safe_dump({**ARMS, "arms": {name: {"twin": "plain"}}})}


def study(**files: object) -> Files:
    """A configuration with a search space, and files in the folder of the study."""
    own = {f"out/{name.replace('_', '.')}": content for name, content in files.items()}
    return {"c.yaml": YAML, "c.space.yaml": "optimiser.lr: {low: 1e-4, high: 1e-1, log: true}", **own}


def journal(place: int, line: bytes) -> Callable[[Path], None]:
    """A journal of a study with a line of something else."""

    def write(path: Path) -> None:
        import optuna

        from learnsym.workers import study_storage

        began = optuna.create_study(storage=study_storage(str(path)), study_name="s")
        began.ask(), began.ask()
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:place], line, *lines[place:]]))

    return write
