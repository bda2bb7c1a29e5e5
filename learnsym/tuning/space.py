"""Search spaces: which keys of a configuration are searched, and what counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from learnsym._settings import Distinct, Seed, Share, check_settings, shown
from learnsym.training import RunConfig
from learnsym.training.config_file import CHOSEN, config_of
from learnsym.tuning.ranges import Choices, Range

if TYPE_CHECKING:
    from optuna.trial import Trial

Direction = Literal["minimize", "maximize"]
DIRECTIONS: dict[str, Direction] = {
    "loss": "minimize",
    "accuracy": "maximize",
    "equivariance_error": "minimize",
    "cost": "minimize",
}
"""What can be searched for: scores on validation data, and FLOPs of training."""
SAMPLERS = ("tpe", "random", "cmaes")

Value = float | int | str | bool | None


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """What a study varies, and what it looks for; `read_space` reads it from a file.

    Args:
        parameters: by dotted key of `RunConfig`: a range or choices.
        objectives: one or more of loss, accuracy, equivariance_error (all on validation data) and cost (FLOPs).
        sampler: `tpe`, `random`, or `cmaes` for one objective and two ranges or more.
        seeds: of the trainings of each trial, whose mean counts.
        prune: with one objective, a trial ends early when, after some of its seeds, a signed-rank test against the best
            trial has a p-value below this; None never to. The p-value of k seeds is at least 2^-k, so that 0.1 needs
            five seeds, of which one is spared, and 0.26 needs three.
    """

    parameters: Mapping[str, Range | Choices]
    objectives: tuple[str, ...] = ("loss",)
    sampler: str = "tpe"
    seeds: Annotated[tuple[Seed, ...], Distinct(1)] = (0,)
    prune: Share | None = 0.1

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.parameters:
            raise ValueError("space: names no key to search; write such as optimiser.lr: {low: 1e-4, high: 1e-1}")
        _check_names("objectives", self.objectives, tuple(DIRECTIONS))
        _check_names("sampler", (self.sampler,), SAMPLERS)
        if self.sampler == "cmaes" and len(self.objectives) > 1:
            raise ValueError("sampler: got 'cmaes' with several objectives; use tpe")
        if self.sampler == "cmaes" and sum(isinstance(part, Range) for part in self.parameters.values()) < 2:
            raise ValueError("sampler: got 'cmaes' with less than two ranges of numbers; use tpe, or search more")

    @property
    def directions(self) -> list[Direction]:
        """`minimize` or `maximize`, by objective."""
        return [DIRECTIONS[name] for name in self.objectives]

    def suggest(self, trial: Trial) -> dict[str, Value]:
        """Values of a trial; those that it has are kept."""
        return {key: parameter.suggest(trial, key) for key, parameter in self.parameters.items()}

    def check(self, config: RunConfig) -> None:
        """Refuse keys and values that a configuration does not take.

        Raises:
            ValueError: naming the key.
        """
        if len(config.twins) > 1:
            raise ValueError(f"twins: got {', '.join(config.twins)}; a study tunes one: leave a single one")
        for key, parameter in self.parameters.items():
            ends = parameter.ends()
            meant = [configured(config, {key: value}) for value in ends]
            if any(value in meant[:place] for place, value in enumerate(meant)):
                raise ValueError(f"{key}: got {shown(ends)}, must differ; name each once")

    def to_json(self) -> dict[str, Any]:
        """Plain values, in which two spaces can be compared."""
        return {**asdict(self), "parameters": {key: asdict(value) for key, value in self.parameters.items()}}


def configured(config: RunConfig, values: Mapping[str, Value]) -> RunConfig:
    """A configuration with other values at dotted keys; another method or chooser starts from its own defaults.

    Raises:
        ValueError: naming a key or value that it does not take.

    Example:
        >>> from learnsym.tuning.space import configured
        >>> configured(ls.training.RunConfig(), {"net.width": 4}).net.width
        4
    """
    whole = asdict(config)
    for section in CHOSEN:
        if values.get(f"{section}.name", whole[section]["name"]) != whole[section]["name"]:
            whole[section] = {}
    usual = config.method.usual_chooser()
    if not whole["method"] and usual == config.chooser:
        whole["chooser"] = {}  # that of the other method
    for key, value in values.items():
        *folders, name = key.split(".")
        place = whole
        for folder in folders:
            place = place[folder]
        place[name] = value
    try:
        return config_of(whole)
    except ValueError as error:
        named = ", ".join(f"{key} {value!r}" for key, value in values.items())
        raise ValueError(f"{error} (with {named} of the search space)") from error


def _check_names(name: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    wrong = [value for value in given if value not in known]
    if wrong or not given or len(set(given)) < len(given):
        shown = repr(wrong[0]) if wrong else list(given)
        raise ValueError(f"{name}: got {shown}, must be among {', '.join(known)}, and each once")
