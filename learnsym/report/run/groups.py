"""Runs of one folder, grouped by data label and twin."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnsym.report.panel import slug
from learnsym.training.run import Run, find_runs
from learnsym.training.unfinished import check_finished

ORDER = ("learned", "plain", "fixed", "exact")


@dataclass(frozen=True)
class DataGroup:
    """All runs on one data set."""

    label: str
    runs: tuple[Run, ...]
    kept: Path
    """Folder of the kept results."""
    notes: tuple[str, ...] = ()
    """On runs that are not trained to their end."""

    @property
    def first(self) -> Run:
        """The run whose settings stand for the group."""
        return self.runs[0]

    def twins(self) -> dict[str, list[Run]]:
        """Runs of each twin, in order of seeds."""
        by_twin: dict[str, list[Run]] = {}
        for run in sorted(self.runs, key=lambda run: (ORDER.index(run.twin), run.seed)):
            by_twin.setdefault(run.twin, []).append(run)
        return by_twin


def group_runs(path: Path, unfinished: bool = False) -> list[DataGroup]:
    """Find runs below `path`; one group per data label, in order of the first run's path.

    Args:
        path: a run, or a folder that holds runs.
        unfinished: whether runs may be taken that are not trained to their end.

    Raises:
        ValueError: when there is no run, or one cannot be read, is not that of its configuration, or is not trained to
            its end; it names the file and the remedy.
    """
    by_label: dict[str, list[Run]] = {}
    for run in find_runs(path):
        _check(run)
        by_label.setdefault(run.config.data.title, []).append(run)
    notes = {label: tuple(check_finished(runs, unfinished)) for label, runs in by_label.items()}
    homes = {label: _home(runs) for label, runs in by_label.items()}
    return [
        DataGroup(label, tuple(runs), _kept(label, homes), notes[label])
        for label, runs in sorted(by_label.items(), key=_natural)
    ]


def _check(run: Run) -> None:
    run.config  # noqa: B018  reads the file
    run.metrics()
    if not any((run.path / name).is_file() for name in ("weights.safetensors", "state.pt")):
        raise ValueError(
            f"run: {run.path} has no weights.safetensors; finish it with learnsym train, or delete the folder"
        )
    run.objective(run.model())  # that the weights are those of the configuration


def _home(runs: Sequence[Run]) -> Path:
    return Path(os.path.commonpath([run.path.absolute() for run in runs]))


def _kept(label: str, homes: dict[str, Path]) -> Path:
    alone = list(homes.values()).count(homes[label]) == 1
    return homes[label] / "analysis" / ("" if alone else slug(label))


def _natural(item: tuple[str, list[Run]]) -> list[tuple[int, str]]:
    # numbers in labels are ordered as numbers: rotated-60 before rotated-180
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", item[0])]
