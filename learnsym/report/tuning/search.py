"""What a study has found so far, as a page shows it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from learnsym.tuning.results import best_of, front_of
from learnsym.tuning.space import SearchSpace, Value
from learnsym.tuning.study import TuningStudy, quiet

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

ENOUGH = 8
"""Complete trials, at least, for which the importance of keys is estimated."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial."""

    number: int
    state: str
    """`complete`, `pruned`, `fail`, `running` or `waiting`."""
    parameters: Mapping[str, Value]
    values: tuple[float, ...] = ()
    """One for each objective, when complete."""
    by_seed: Mapping[int, float] = field(default_factory=dict)
    """The first objective of each seed that was trained."""
    seconds: float = math.nan
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The trials of a study, and what was searched."""

    name: str
    space: SearchSpace
    configuration: dict[str, Any]
    trials: list[Trial]
    best: Trial | None
    front: list[Trial]
    """Complete trials that no other beats in all objectives."""
    importances: dict[str, float]
    """Share of the variance of the first objective, by key; empty where it cannot be told."""

    def of(self, state: str) -> list[Trial]:
        """The trials in a state."""
        return [trial for trial in self.trials if trial.state == state]

    @property
    def ranked(self) -> list[Trial]:
        """Complete trials, best first."""
        sign = -1.0 if self.space.directions[0] == "maximize" else 1.0
        return sorted(self.of("complete"), key=lambda trial: (sign * trial.values[0], trial.number))


def read_search(study: TuningStudy) -> Search:
    """What a study has found so far."""
    trials = {trial.number: _trial(study, trial) for trial in study.trials()}
    best = best_of(study)
    return Search(
        name=study.name,
        space=study.space,
        configuration=asdict(study.config),
        trials=list(trials.values()),
        best=trials[best.number] if best is not None else None,
        front=[trials[trial.number] for trial in front_of(study)],
        importances=_importances(study),
    )


def _trial(study: TuningStudy, trial: optuna.trial.FrozenTrial) -> Trial:
    first, attributes = study.space.objectives[0], trial.user_attrs
    seeds = {seed: attributes.get(f"seed {seed}", {}) for seed in study.space.seeds}
    return Trial(
        number=trial.number,
        state=trial.state.name.lower(),
        parameters={key: trial.params[key] for key in study.space.parameters if key in trial.params},
        values=tuple(trial.values) if trial.state.name == "COMPLETE" else (),
        by_seed={seed: float(row[first]) for seed, row in seeds.items() if first in row},
        seconds=attributes.get("seconds", math.nan),
        failure=attributes.get("failure", ""),
    )


def _importances(study: TuningStudy) -> dict[str, float]:
    """By PED-ANOVA, which is fast.

    Reference: Watanabe, Bansal and Hutter, "PED-ANOVA" (2023), arXiv:2304.10255.
    """
    import optuna

    complete = [trial for trial in study.trials() if trial.state.name == "COMPLETE"]
    if len(complete) < ENOUGH or len(study.space.parameters) < 2:
        return {}
    first = None if len(study.space.objectives) == 1 else lambda trial: trial.values[0]
    try:
        with quiet():
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            found = optuna.importance.get_param_importances(study.optuna, evaluator=evaluator, target=first)
    except (ValueError, RuntimeError, ArithmeticError) as error:  # such as trials that all have one value
        logger.debug("no importances: %s", error)
        return {}
    return {key: float(share) for key, share in found.items() if math.isfinite(share)}
