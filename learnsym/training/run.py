"""Run: the folder that training fills and every other command reads."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from learnsym._found import check_run, run_folders
from learnsym.data import Signature, Splits, load_splits
from learnsym.degrees import Degree
from learnsym.files import read_json, understood, write_atomically, write_json
from learnsym.learners import degrees
from learnsym.training import checkpoint
from learnsym.training.build import build_model, setup_of
from learnsym.training.config import RunConfig
from learnsym.training.config_file import difference, dump_config, read_config, value_at
from learnsym.training.environment import environment
from learnsym.training.folder import RunFolder, check_new
from learnsym.training.kept_data import RECORD, check_unchanged
from learnsym.training.kept_net import check_net, keep_net, trained_net
from learnsym.training.lock import locked
from learnsym.training.own_run import OwnRun

OWN_MODULE = (
    "load the weights into your own module in Python, or in a function of a file for learnsym measure FILE.py:function"
)
"""What to do with a run that `fit` has made with a module that no configuration describes."""


class Run(RunFolder):
    """A folder: resolved config, metrics, weights, inferred degrees, report.

    Args:
        path: a folder that `learnsym train` has made.

    Raises:
        ValueError: when the folder is not a run, or that of a module of your own, see `Run.new`.
    """

    ends_with_fit = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path))
        check_run(self.path)

    @staticmethod
    def new(
        path: str | os.PathLike[str], *, factory: object = None, data: str = "data", twin: str | None = None
    ) -> OwnRun:
        """A run folder without a configuration, for `fit` with a module of your own; or the one that is there.

        Args:
            path: the folder; an existing run of this kind is continued.
            factory: the function that makes your network, whose code is kept beside that of your classes.
            data: what tables and figures call the data.
            twin: what it is compared as, `learned`, `plain`, `fixed` or `exact`; by default `learned` for a model that
                learns symmetry, else `plain`.

        Raises:
            ValueError: when the folder is not such a run but has content.

        Example:
            >>> import tempfile
            >>> run = ls.training.Run.new(tempfile.mkdtemp() + "/mine")
            >>> batches = [(torch.randn(8, 3), torch.randint(2, (8,)))]
            >>> objective = ls.objectives.Supervised(nn.functional.cross_entropy)
            >>> history = ls.training.fit(nn.Linear(3, 2), objective, batches, steps=5, run=run)
            >>> run.is_finished, len(run.metrics())
            (True, 5)
        """
        return OwnRun.create(path, factory=factory, data=data, twin=twin)

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
        vars(run)["config"] = config
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

    def begin(self, model: nn.Module, objective: object, settings: dict[str, Any]) -> None:
        """Nothing: the configuration says it all."""

    def end(self, model: nn.Module, objective: object) -> None:
        """Nothing: a run is finished with its test scores."""

    def degrees(self) -> list[Degree]:
        """What was learned: by the model, and by an objective that weighs symmetries."""
        model = self.model()
        objective = self.objective(model)
        return degrees(model) + ([] if objective is None else degrees(objective, root="loss"))

    def signature(self) -> Signature:
        """What the model must know of the data, as far as possible without reading them again."""
        path = self.path / RECORD
        if not path.exists():
            return load_splits(self.config.data).train.signature
        remedy = "delete it, and the data are read instead"
        content = read_json(path, "run", remedy, {"in_shape": list, "classes": int})
        with understood(path, "run", remedy):
            return Signature.from_json(content)

    def splits(self) -> Splits:
        """The data.

        Raises:
            ValueError: when they cannot be read, or their files have changed since the run was begun.
        """
        splits = load_splits(self.config.data)
        check_unchanged(self.path, splits.train)
        return splits

    def predictions(self) -> dict[str, Tensor]:
        """`outputs` `(N, K)` and `targets` `(N,)` of the test split; empty when none were saved, as for label maps."""
        path = self.path / "predictions.safetensors"
        return checkpoint.load_tensors(path) if path.exists() else {}

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
    return [Run(folder) for folder in run_folders(path)]
