"""Run: the folder that training fills and every other command reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.data import Signature, load_splits
from learnsym.degrees import Degree
from learnsym.files import check_folder, read_json, understood, write_atomically, write_json
from learnsym.learners import degrees
from learnsym.training import checkpoint
from learnsym.training.build import build_model, setup_of
from learnsym.training.config import RunConfig
from learnsym.training.config_file import difference, dump_config, read_config, value_at
from learnsym.training.environment import environment
from learnsym.training.kept_net import COPIES, RECORD, check_net, keep_net, trained_net
from learnsym.training.lock import locked
from learnsym.training.metrics import MetricsFile, read_metrics

FAILURE = "failed.json"
BEGUN = ("env.json", RECORD, COPIES)
"""What is written before the configuration is."""
OWN_MODULE = (
    "load the weights into your own module in Python, or in a function of a file for learnsym measure FILE.py:function"
)
"""What to do with a run that `fit` has made with a module that no configuration describes."""


class Run:
    """A folder: resolved config, metrics, weights, inferred degrees, report.

    Args:
        path: a folder that `learnsym train` has made.

    Raises:
        ValueError: when the folder is not a run.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not (self.path / "config.yaml").is_file():
            raise ValueError(f"run: {self.path} is not a run folder (no config.yaml); make one with learnsym train")
        self._metrics: MetricsFile | None = None
        self._held = False

    @classmethod
    def create(cls, path: str | os.PathLike[str], config: RunConfig, device: torch.device | None = None) -> Run:
        """A new run folder, or the existing one of the same configuration.

        Raises:
            ValueError: when the folder belongs to another configuration or is not a run but has content, or another
                process is training in it.
        """
        folder = Path(path)
        if (folder / "config.yaml").exists():
            run = cls(folder)
            run._check_config(config)
            check_net(folder, config.net)
        else:
            check_new(folder)
            folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):  # two processes may begin at once
            if not (folder / "config.yaml").exists():
                write_json(folder / "env.json", environment(device or torch.device("cpu")), indent=2)
                keep_net(folder, config.net)
            write_atomically(folder / "config.yaml", dump_config(config).encode())
        run = cls(folder)
        run.__dict__["config"] = config
        return run

    @cached_property
    def config(self) -> RunConfig:
        """The resolved configuration."""
        try:
            return read_config(self.path / "config.yaml")
        except ValueError as error:
            raise ValueError(f"run: {self.path} cannot be read ({error})") from error

    @property
    def seed(self) -> int:
        """The seed of this member."""
        return self.config.seeds[0]

    @property
    def twin(self) -> str:
        """The twin of this member."""
        return self.config.twin

    @property
    def is_finished(self) -> bool:
        """Whether training and the final evaluation are done."""
        state = checkpoint.load(self.path)
        return bool(state and state["finished"])

    def metrics(self) -> list[dict[str, Any]]:
        """All records of `metrics.jsonl`."""
        path = self.path / "metrics.jsonl"
        with understood(path, "run", "restore it, or train again elsewhere"):
            return read_metrics(path)

    def state(self) -> dict[str, Any] | None:
        """The last checkpoint, None when there is none."""
        return checkpoint.load(self.path)

    def weights(self) -> dict[str, Any]:
        """The weights of the last checkpoint."""
        return checkpoint.load_weights(self.path)

    def model(self, device: torch.device | str = "cpu") -> nn.Module:
        """The trained model, in evaluation mode.

        Raises:
            ValueError: when there are no weights, or they are of another module than the configuration describes, or
                that is a network of your own whose files are gone.
        """
        config = replace(self.config, net=trained_net(self.path, self.config.net))
        model = build_model(config, self.signature())
        what = f"the weights of {self.path} are not those of the network in its config.yaml, but"
        checkpoint.load_into(model, self.weights(), what, OWN_MODULE)
        return model.to(device).eval()

    def objective(self, model: nn.Module) -> nn.Module | None:
        """The trained objective, which weighs symmetries of the model; None for one that learns nothing.

        Raises:
            ValueError: when its state is of another objective than the configuration describes.
        """
        state = self.state()
        if state is None or not state["objective"]:
            return None
        objective = self.config.method.objective(setup_of(self.config, self.signature()), model)
        what = f"the objective of {self.path} is not that of its config.yaml, but"
        checkpoint.load_into(objective, state["objective"], what, OWN_MODULE)
        return objective if isinstance(objective, nn.Module) else None

    def degrees(self) -> list[Degree]:
        """What was learned: by the model, and by an objective that weighs symmetries."""
        model = self.model()
        objective = self.objective(model)
        return degrees(model) + ([] if objective is None else degrees(objective, root="loss"))

    def signature(self) -> Signature:
        """What the model must know of the data, as far as possible without reading them again."""
        path = self.path / "data.json"
        if not path.exists():
            return load_splits(self.config.data).train.signature
        remedy = "delete it, and the data are read instead"
        content = read_json(path, "run", remedy, {"in_shape": list, "classes": int})
        with understood(path, "run", remedy):
            return Signature.from_json(content)

    def keep_signature(self, signature: Signature) -> None:
        """Write `data.json`."""
        write_json(self.path / "data.json", signature.to_json())

    def predictions(self) -> dict[str, Tensor]:
        """`outputs` `(N, K)` and `targets` `(N,)` of the test split; empty when none were saved, as for label maps."""
        path = self.path / "predictions.safetensors"
        return checkpoint.load_tensors(path) if path.exists() else {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against other processes; a block inside of the block holds it already.

        Raises:
            ValueError: when another process is training in it.
        """
        if self._held:
            yield
            return
        with locked(self.path):
            self._held = True
            try:
                yield
            finally:
                self._held = False

    @contextmanager
    def writing(self) -> Iterator[dict[str, Any] | None]:
        """Hold the folder and open the run for training after its last checkpoint, which is given; cut metrics back.

        Raises:
            ValueError: when another process is training in it, or the checkpoint or the metrics cannot be continued.
        """
        with self.held():
            state = self.state()  # by others before, by nobody from here on
            if state and checkpoint.weights_step(self.path) != state["step"]:
                checkpoint.save_weights(self.path, state)
            self._metrics = MetricsFile(self.path / "metrics.jsonl", state["metrics_bytes"] if state else 0)
            (self.path / FAILURE).unlink(missing_ok=True)
            try:
                yield state
            finally:
                self._metrics.close()
                self._metrics = None

    def forget(self) -> None:
        """Remove the checkpoint, so that the next training begins anew."""
        checkpoint.remove(self.path)

    def log(self, record: dict[str, Any]) -> None:
        """Append one record to `metrics.jsonl`."""
        assert self._metrics is not None
        self._metrics.append(record)

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint, together with the length of the metrics."""
        assert self._metrics is not None
        checkpoint.save(self.path, {**state, "metrics_bytes": self._metrics.size()})

    @property
    def failure(self) -> str | None:
        """Why the last training of this member failed; None when it did not, or was continued since."""
        path = self.path / FAILURE
        return str(read_json(path, "run", "delete it")["reason"]) if path.exists() else None

    def note_failure(self, reason: str) -> None:
        """Write `failed.json`, which goes when the training is continued."""
        write_json(self.path / FAILURE, {"reason": reason})

    def _check_config(self, config: RunConfig) -> None:
        key = difference(self.config, config)
        if key is not None:
            raise ValueError(
                f"{key}: got {value_at(config, key)!r}, but the run in {self.path} was made with "
                f"{value_at(self.config, key)!r}; use that value to resume it, or another --out"
            )


def find_runs(path: str | os.PathLike[str]) -> list[Run]:
    """All runs in a folder and the folders below it, in the order of their paths.

    Raises:
        ValueError: when there is none.
    """
    runs = [Run(config.parent) for config in sorted(Path(path).rglob("config.yaml"))]
    if not runs:
        raise ValueError(f"run: {path} holds no run; make one with learnsym train CONFIG --out RUN")
    return runs


def check_new(path: str | os.PathLike[str]) -> None:
    """Refuse a path at which no new run can begin; nothing is made.

    Raises:
        ValueError: when no folder can be made there, or one has content that is no run's.
    """
    folder = check_folder(path)
    entries = folder.iterdir() if folder.exists() else ()
    others = [entry.name for entry in entries if entry.suffix != ".tmp" and entry.name not in BEGUN]
    if others:
        raise ValueError(f"out: {folder} is not a run folder, but holds {sorted(others)[0]}; name another folder")
