"""What a study leaves in its folder: a table of its trials, the front of several objectives, and the best trial."""

from __future__ import annotations

import csv
import io
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnsym.files import read_json, write_atomically, write_json, writing
from learnsym.tuning.claims import trial_folder
from learnsym.tuning.study import TuningStudy
from learnsym.workers import FolderLocks

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

logger = logging.getLogger(__name__)


def write_results(study: TuningStudy, folder: Path) -> None:
    """Write `trials.csv`, `best.json`, `best/` and, for several objectives, `front.csv` and `front.json`."""
    with FolderLocks(folder).waiting("results"):
        _write_trials(study, folder)
        front = front_of(study)
        if len(study.space.objectives) > 1:
            rows = [_row(study, trial) for trial in front]
            _write_csv(folder / "front.csv", rows)
            write_json(folder / "front.json", rows, indent=2)
        best = best_of(study)
        if best is not None:
            _copy_best(study, best, folder)


def write_table(study: TuningStudy, folder: Path) -> None:
    """Write `trials.csv`, a row for each trial so far, unless another worker is doing it."""
    with FolderLocks(folder).held("results") as mine:
        if mine:
            _write_trials(study, folder)


def front_of(study: TuningStudy) -> list[FrozenTrial]:
    """Trials that no other beats in all objectives: for one objective, the best ones."""
    return sorted(study.optuna.best_trials, key=lambda trial: trial.number)


def best_of(study: TuningStudy) -> FrozenTrial | None:
    """The best trial; of a front, the one with the lowest loss or, without it, the best first objective."""
    names, front = study.space.objectives, front_of(study)
    place = names.index("loss") if "loss" in names else 0
    sign = -1.0 if study.space.directions[place] == "maximize" else 1.0
    return min(front, key=lambda trial: (sign * trial.values[place], trial.number)) if front else None


def best_so_far(study: TuningStudy) -> str:
    """The best score in a few words, `best loss 0.31`; empty before there is one."""
    best, name = best_of(study), study.space.objectives[0]
    return "" if best is None else f"best {name.replace('_', ' ')} {_shown(best.values[0])}"


def table(study: TuningStudy) -> tuple[list[str], list[list[str]]]:
    """Header and rows for the screen: the trials that ended well, best first, with the time that each took."""
    names = study.space.objectives
    sign = -1.0 if study.space.directions[0] == "maximize" else 1.0
    done = [trial for trial in study.trials() if trial.state.name == "COMPLETE"]
    done.sort(key=lambda trial: (sign * trial.values[0], trial.number))
    keys = list(study.space.parameters)
    rows = [
        [str(t.number), *map(_shown, t.values), _time(t.user_attrs), *(_shown(t.params[key]) for key in keys)]
        for t in done
    ]
    return ["trial", *names, "time", *keys], rows


def _time(attributes: Mapping[str, Any]) -> str:
    return f"{attributes['seconds']:.3g} s" if "seconds" in attributes else "-"


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _row(study: TuningStudy, trial: FrozenTrial) -> dict[str, Any]:
    values = trial.values if trial.state.name == "COMPLETE" else None
    attributes = trial.user_attrs
    return {
        "trial": trial.number,
        "state": trial.state.name.lower(),
        **dict(zip(study.space.objectives, values or [None] * len(study.space.objectives), strict=True)),
        **{key: trial.params.get(key) for key in study.space.parameters},
        "seeds": sum(f"seed {seed}" in attributes for seed in study.space.seeds),
        "seconds": attributes.get("seconds"),
        "deaths": attributes.get("deaths", 0),
        "failure": attributes.get("failure"),
    }


def _copy_best(study: TuningStudy, best: FrozenTrial, folder: Path) -> None:
    """The run folder of the best trial as `best`, or one for each seed in it."""
    seeds, source, target = study.space.seeds, trial_folder(folder, best.number), folder / "best"
    note = folder / "best.json"
    content = _row(study, best)
    if target.exists() and _noted(note) == json.loads(json.dumps(content)):
        return
    if not all((source / str(seed) / "config.yaml").exists() for seed in seeds):
        logger.warning("the runs of the best trial, %d, lie in the --out of another command", best.number)
        write_json(note, content, indent=2)
        return
    temporary = folder / "best.tmp"
    _copy(source / str(seeds[0]) if len(seeds) == 1 else source, temporary, target)
    note.unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
    write_json(note, content, indent=2)


def _noted(note: Path) -> dict[str, Any] | None:
    """What is kept about the best trial; None when it cannot be read, and is written again."""
    try:
        return read_json(note, "out", "delete it")
    except ValueError:
        return None


def _copy(source: Path, temporary: Path, target: Path) -> None:
    """Copy a folder, or leave nothing and say which could not be written."""
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with writing(target):
            for path in (source, *sorted(source.rglob("*"))):
                place = temporary / path.relative_to(source)
                place.mkdir() if path.is_dir() else shutil.copy2(path, place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write_trials(study: TuningStudy, folder: Path) -> None:
    _write_csv(folder / "trials.csv", [_row(study, trial) for trial in study.trials()])


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_atomically(path, buffer.getvalue().encode())
