"""OwnRun: the folder of a training in Python, of a module that no configuration describes."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from learnsym._found import OWN_RECORD
from learnsym.degrees import Degree, read_degrees, write_degrees
from learnsym.files import read_json, write_atomically, write_json
from learnsym.learners import degrees, learners
from learnsym.nets.sources import SeveralInputs
from learnsym.symmetry import Symmetry
from learnsym.training import checkpoint
from learnsym.training.environment import environment
from learnsym.training.folder import RunFolder, check_new
from learnsym.training.kept_code import changed, code_of, keep_code, logger
from learnsym.training.lock import locked

VERSION = 1
DEGREES, NET = "degrees.json", "net.safetensors"
BOUND = ("steps", "seed", "optimiser", "objective", "symmetry")
"""Entries of the record that a resumed training must have in common with the one that began."""


class OwnRun(RunFolder):
    """A folder: what was trained in words, its code, metrics, weights, inferred degrees. See `Run.new`.

    Beside what every run has, it holds `own.json` (model, symmetry, objective and settings in words, hashes of the
    code), `code/` (the files of your classes), `degrees.json` (what was learned) and `net.safetensors` (the weights of
    the network alone, for `--net.weights`).

    Args:
        path: a folder that `Run.new` has made.

    Raises:
        ValueError: when the folder is not such a run.
    """

    ends_with_fit = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path))
        self.factory: object = None
        self.record  # noqa: B018  that it can be read

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], *, factory: object = None, data: str = "data", twin: str | None = None
    ) -> OwnRun:
        """See `Run.new`."""
        folder = Path(path)
        if not (folder / OWN_RECORD).exists():
            check_new(folder)
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder):
                write_json(folder / "env.json", environment(torch.device("cpu")), indent=2)
                write_json(folder / OWN_RECORD, {"version": VERSION, "data": data, "twin": twin})
        run = cls(folder)
        run.factory = factory
        return run

    @cached_property
    def record(self) -> dict[str, Any]:
        """What `own.json` says."""
        path = self.path / OWN_RECORD
        if not path.is_file():
            raise ValueError(f"run: {self.path} is no run made in Python (no {OWN_RECORD}); make one with Run.new")
        content = read_json(path, "run", "train again elsewhere", {"version": int, "data": str})
        if content["version"] != VERSION:
            raise ValueError(f"run: {path} has version {content['version']}, learnsym reads {VERSION}; train again")
        return content

    @property
    def seed(self) -> int:
        """The seed of the fit."""
        return int(self.record.get("seed", 0))

    @property
    def twin(self) -> str:
        """What was trained: `learned`, `plain`, `fixed` or `exact`."""
        return str(self.record.get("twin") or "plain")

    @property
    def data(self) -> str:
        """What tables and figures call the data."""
        return self.record["data"]

    def begin(self, model: nn.Module, objective: object, settings: dict[str, Any]) -> None:
        """Write what is about to be trained into the record, or compare it with the training that began."""
        code = code_of([model, objective, *([self.factory] if self.factory else [])])
        record = {
            **self.record,
            "twin": self.record["twin"] or ("learned" if any(True for _ in learners(model)) else "plain"),
            **settings,
            "model": type(model).__name__,
            "network": type(_network(model)).__name__,
            "symmetry": _symmetries(model),
            "objective": _words(objective),
            "code": code,
        }
        if "code" in self.record:
            return self._compare(record)
        keep_code(self.path, code)
        write_json(self.path / OWN_RECORD, record, indent=2)
        vars(self)["record"] = record

    def end(self, model: nn.Module, objective: object) -> None:
        """Write what was learned, and the weights of the network alone."""
        import safetensors.torch

        weighed = degrees(objective, root="loss") if isinstance(objective, nn.Module) else []
        write_degrees(self.path / DEGREES, [replace(each, data=self.data) for each in degrees(model) + weighed])
        weights = {k: v for k, v in _network(model).state_dict().items() if isinstance(v, Tensor)}
        content = {name: value.detach().cpu().contiguous().clone() for name, value in weights.items()}
        write_atomically(self.path / NET, safetensors.torch.save(content))

    def degrees(self) -> list[Degree]:
        """What was learned, by the last step.

        Raises:
            ValueError: for a training that has not come to its end.
        """
        if not (self.path / DEGREES).is_file():
            raise ValueError(f"run: {self.path} is not trained to its end; continue it with fit")
        return read_degrees(self.path / DEGREES)

    def load_into(self, model: nn.Module) -> nn.Module:
        """Give a module that was made as the trained one its weights, in place; it is returned in evaluation mode.

        Raises:
            ValueError: when there are no weights, or they are of another module.
        """
        remedy = "make it as before the training"
        checkpoint.load_into(model, self.weights(), f"the weights of {self.path} are", remedy)
        return model.eval()

    def _compare(self, record: dict[str, Any]) -> None:
        for key in BOUND:
            if record[key] != self.record.get(key):
                raise ValueError(
                    f"{key}: got {record[key]}, but the run in {self.path} was made with {self.record.get(key)}; use "
                    "that to resume it, or another folder"
                )
        for name in changed(self.record["code"], record["code"]):
            logger.warning("run: the code of %s is not what it was when %s began; a copy lies there", name, self.path)


def find_own_runs(path: str | os.PathLike[str]) -> list[OwnRun]:
    """All runs of modules of your own in a folder and the folders below it, in the order of their paths."""
    return [OwnRun(record.parent) for record in sorted(Path(path).rglob(OWN_RECORD))]


def _network(model: nn.Module) -> nn.Module:
    """The network inside of what learns a symmetry of its inputs; other models are their own network."""
    plain = getattr(model, "plain", None)
    network = plain() if callable(plain) else model
    if isinstance(network, SeveralInputs):
        return network.net
    return network if isinstance(network, nn.Module) else model


def _symmetries(model: nn.Module) -> list[str]:
    found = (getattr(module, "symmetry", None) for module in model.modules())
    return list(dict.fromkeys(symmetry.name for symmetry in found if isinstance(symmetry, Symmetry)))


def _words(thing: object) -> str:
    """A function by its name; an object by its class, with the numbers, functions and objects that it is made of."""
    if not hasattr(thing, "__dict__") or hasattr(thing, "__qualname__"):
        return str(getattr(thing, "__qualname__", thing))
    parts = dict(vars(thing)) | (dict(thing.named_children()) if isinstance(thing, nn.Module) else {})
    shown = {name: _part(part) for name, part in parts.items() if not name.startswith("_") and name != "training"}
    return f"{type(thing).__name__}({', '.join(f'{name}={text}' for name, text in shown.items() if text)})"


def _part(part: object) -> str:
    """A part of an objective in words; empty for what is left out, such as tensors and models."""
    if isinstance(part, nn.ModuleList):
        return f"[{', '.join(map(_words, part))}]"
    if isinstance(part, int | float | str):
        return str(part)
    own = type(part).__module__.startswith("learnsym.objectives")
    return _words(part) if own or hasattr(part, "__qualname__") else ""
