"""RunFolder: what a folder holds that training fills, whatever was trained."""

from __future__ import annotations

import abc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from learnsym.degrees import Degree
from learnsym.files import check_folder, read_json, understood, write_json
from learnsym.training import checkpoint
from learnsym.training.kept_net import COPIES, RECORD
from learnsym.training.lock import locked
from learnsym.training.metrics import MetricsFile, read_metrics

FAILURE = "failed.json"
BEGUN = ("env.json", RECORD, COPIES)
"""What is written before the configuration is."""


class RunFolder(abc.ABC):
    """A folder with the metrics and the last checkpoint of one training: what `fit` needs of a run.

    `Run` is that of a configuration, `OwnRun` that of a module of your own.
    """

    ends_with_fit: ClassVar[bool]
    """Whether a run is finished with the last step of `fit`."""
    path: Path

    def __init__(self, path: Path) -> None:
        self.path = path
        self._metrics: MetricsFile | None = None
        self._held = False

    @property
    @abc.abstractmethod
    def seed(self) -> int:
        """The seed of initial weights, batches and transformations."""

    @property
    @abc.abstractmethod
    def twin(self) -> str:
        """What was trained: `learned`, `plain`, `fixed` or `exact`."""

    @abc.abstractmethod
    def degrees(self) -> list[Degree]:
        """What was learned."""

    @abc.abstractmethod
    def begin(self, model: nn.Module, objective: object, settings: dict[str, Any]) -> None:
        """Told by `fit` what it is about to train, with which settings; the folder is held.

        Raises:
            ValueError: when the folder is that of another training.
        """

    @abc.abstractmethod
    def end(self, model: nn.Module, objective: object) -> None:
        """Told by `fit` what it has trained, after the last step."""

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
