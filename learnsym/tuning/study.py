"""A study of Optuna on one configuration and one search space, which any number of commands may join."""

from __future__ import annotations

import importlib.util
import json
import logging
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from learnsym.data import load_splits
from learnsym.files import check_name
from learnsym.training import RunConfig
from learnsym.training.config_file import config_of, difference, value_at
from learnsym.tuning.scores import check_objectives
from learnsym.tuning.space import SearchSpace
from learnsym.workers import Locks, storage_errors, study_storage

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

KEY = "learnsym"
"""The attribute of a study that holds its configuration and search space."""


@dataclass(frozen=True)
class TuningStudy:
    """An Optuna study with what it is about.

    Args:
        name: of the study.
        key: tells apart studies of one name in different storages.
        storage: its address.
        config: what is tuned.
        space: where.
        optuna: the study itself.
        backend: where its trials are kept.
        id: what the backend knows it by.
        locks: that all who join it share.
    """

    name: str
    key: str
    storage: str = field(repr=False)
    config: RunConfig
    space: SearchSpace
    optuna: optuna.Study
    backend: optuna.storages.BaseStorage
    id: int
    locks: Locks

    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """All trials, in order; not to be changed."""
        return self.backend.get_all_trials(self.id, deepcopy=False)


def open_study(name: str, storage: str, config: RunConfig, space: SearchSpace, locks: Locks) -> TuningStudy:
    """Join a study, or begin it.

    Args:
        name: of the study.
        storage: `postgresql://...`, a path, or `journal:PATH`.
        config: what is tuned.
        space: which keys are searched.
        locks: that all who join it share.

    Raises:
        ValueError: for a bad name, when data cannot be had, the storage cannot be used, or the study is about another
            configuration or search space.
    """
    check_name(name, "study")
    check_sampler(space)
    # before the study exists: one that was begun with bad input could not be joined with good input
    check_objectives(config, space.objectives, load_splits(config.data).train.signature)
    backend = study_storage(storage, locks)
    import optuna

    with locks.waiting("study"), storage_errors(storage), quiet():
        study = optuna.create_study(
            storage=backend,
            study_name=name,
            directions=space.directions,
            load_if_exists=True,
            pruner=make_pruner(space),
        )
        if study.metric_names is None:
            study.set_metric_names(list(space.objectives))  # which name the axes of a dashboard
        content = {"config": asdict(config), "space": space.to_json(), "key": uuid.uuid4().hex}
        if KEY not in study.user_attrs:
            if study.get_trials(deepcopy=False):
                raise ValueError(f"study: {name} was not made by learnsym tune; choose another --study")
            study.set_user_attr(KEY, content)
        else:
            _check_same(name, study.user_attrs[KEY], config, content["space"])
            content = study.user_attrs[KEY]
        number = backend.get_study_id_from_name(name)
        return TuningStudy(name, content["key"], storage, config, space, study, backend, number, locks)


def check_sampler(space: SearchSpace) -> None:
    """Refuse a sampler whose package is not installed."""
    if space.sampler == "cmaes" and importlib.util.find_spec("cmaes") is None:
        raise ValueError("sampler: cmaes needs the package cmaes, which is not installed; install it, or use tpe")


def make_sampler(space: SearchSpace, number: int) -> optuna.samplers.BaseSampler:
    """The sampler of one trial, whose random numbers belong to the trial: one worker alone finds the same again."""
    import optuna

    makers = {
        "tpe": optuna.samplers.TPESampler,
        "random": optuna.samplers.RandomSampler,
        "cmaes": optuna.samplers.CmaEsSampler,
    }
    with quiet():
        return makers[space.sampler](seed=number)


def make_pruner(space: SearchSpace) -> optuna.pruners.BasePruner:
    """Judges a trial by its seeds against those of the best trial; Optuna prunes for a single objective only."""
    import optuna

    if space.prune is None or len(space.objectives) > 1:
        return optuna.pruners.NopPruner()
    if len(space.seeds) > 1 and 0.5 ** (len(space.seeds) - 1) >= space.prune:
        logger.info("no trial ends early: the seeds are too few for a p-value below %g", space.prune)
    with quiet():
        return optuna.pruners.WilcoxonPruner(p_threshold=space.prune)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what Optuna says about new studies and experimental parts."""
    import optuna

    saved = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(saved)


def _check_same(name: str, theirs: Mapping[str, Any], config: RunConfig, space: Mapping[str, Any]) -> None:
    try:
        other = config_of(theirs["config"])
    except (ValueError, KeyError) as error:
        raise ValueError(f"study: {name} was made by another version of learnsym ({error})") from error
    remedy = "use that value to join the study, or another --study"
    key = difference(other, config)
    if key is not None:
        raise ValueError(
            f"{key}: got {value_at(config, key)!r}, but study {name} was made with {value_at(other, key)!r}; {remedy}"
        )
    ours, others = _plain(space), _plain(theirs["space"])
    for key in [*ours, *others]:
        if ours.get(key) != others.get(key):
            raise ValueError(
                f"{key}: got {ours.get(key)} in the search space, but study {name} was made with {others.get(key)}; "
                f"{remedy}"
            )


def _plain(space: Mapping[str, Any]) -> dict[str, Any]:
    """By key, as JSON gives it back."""
    flat = {key: value for key, value in space.items() if key != "parameters"}
    return json.loads(json.dumps({**flat, **space["parameters"]}))
