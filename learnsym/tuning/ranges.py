"""What one key of a configuration may be in a search: a range of numbers, or choices."""

from __future__ import annotations

import types
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from learnsym.training import RunConfig
from learnsym.training.config_file import RUNTIME

if TYPE_CHECKING:
    from optuna.trial import Trial


MOST_STEPS = 10**9


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers between two ends, which belong to it; spread evenly, or evenly in their logarithm."""

    low: float | int
    high: float | int
    step: float | int | None = None
    log: bool = False
    whole: bool = False

    def suggest(self, trial: Trial, key: str) -> float | int:
        """A value for a trial."""
        if self.whole:
            return trial.suggest_int(key, int(self.low), int(self.high), step=int(self.step or 1), log=self.log)
        return trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)

    def ends(self) -> list[float | int]:
        """Values that stand for all."""
        return [self.low, self.high]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A few values without order."""

    values: tuple[float | int | str | bool | None, ...]

    def suggest(self, trial: Trial, key: str) -> float | int | str | bool | None:
        """A value for a trial."""
        return trial.suggest_categorical(key, self.values)

    def ends(self) -> list[float | int | str | bool | None]:
        """All values."""
        return list(self.values)


def read_parameter(key: str, given: object, config: RunConfig | None = None) -> Range | Choices:
    """What a file says about one key.

    Args:
        key: dotted, of `RunConfig`.
        given: `{low: ..., high: ..., step: ..., log: ...}`, or a list of choices.
        config: that is varied, whose method and chooser have keys of their own; the default one when None.

    Raises:
        ValueError: naming the key.

    Example:
        >>> from learnsym.tuning.ranges import read_parameter
        >>> read_parameter("net.width", {"low": 8, "high": 64, "step": 8})
        Range(low=8, high=64, step=8, log=False, whole=True)
        >>> read_parameter("optimiser.lr", [1e-3, 1e-2])
        Choices(values=(0.001, 0.01))
    """
    kinds = _kinds(key, RunConfig() if config is None else config)
    if key.startswith(RUNTIME):
        raise ValueError(f"{key}: does not change what is trained; leave it out of the search space")
    if isinstance(given, list):
        return _choices(key, given)
    if not isinstance(given, dict):
        raise ValueError(f"{key}: got {given!r}, must be {{low: ..., high: ...}} or a list of choices")
    return _range(key, given, kinds)


def _kinds(key: str, config: RunConfig) -> set[Any]:
    """The types that a key of a configuration may have."""
    kind: Any = RunConfig
    value: Any = config
    for part in key.split("."):
        if get_origin(kind) is dict:
            kind, value = get_args(kind)[1], None
        elif is_dataclass(value) and part in {field.name for field in fields(value)}:
            kind, value = get_type_hints(type(value))[part], getattr(value, part)
        else:
            raise ValueError(f"{key}: unknown key of the search space; name one of learnsym train --help")
    if is_dataclass(kind) or get_origin(kind) in (list, dict):
        raise ValueError(f"{key}: cannot be searched as a whole; name a key in it, such as optimiser.lr")
    return set(get_args(kind)) if get_origin(kind) in (Union, types.UnionType) else {kind}


def _choices(key: str, given: list[Any]) -> Choices:
    wrong = [value for value in given if not isinstance(value, str | int | float | bool | None)]
    if wrong:
        raise ValueError(f"{key}: got {wrong[0]!r} among the choices, must be a number, a word, true, false or null")
    if len(given) < 2 or len(set(map(repr, given))) < len(given):
        raise ValueError(f"{key}: got {given}, must be at least two choices, and each once")
    return Choices(values=tuple(given))


def _range(key: str, given: dict[str, Any], kinds: set[Any]) -> Range:
    if not {"low", "high"} <= set(given) or set(given) - {"low", "high", "step", "log"}:
        raise ValueError(f"{key}: got the keys {', '.join(map(str, given))}, must be low and high, and step or log")
    if not kinds & {int, float}:
        raise ValueError(f"{key}: is no number; write a list of choices")
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise ValueError(f"{key}: got log {log!r}, must be true or false")
    whole = float not in kinds
    numbers = {name: _number(key, name, given[name], whole) for name in ("low", "high", "step") if name in given}
    numeric = Range(**numbers, log=log, whole=whole)
    _check_range(key, numeric)
    return numeric


def _number(key: str, name: str, value: object, whole: bool) -> float | int:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or number != number or abs(number) == float("inf"):
        raise ValueError(f"{key}: got {name} {value!r}, must be a number")
    if whole and number != int(number):
        raise ValueError(f"{key}: got {name} {value!r}, must be a whole number")
    return int(number) if whole else number


def _check_range(key: str, numeric: Range) -> None:
    if numeric.low >= numeric.high:
        raise ValueError(f"{key}: got low {numeric.low} and high {numeric.high}, low must be below high")
    if numeric.log and numeric.low <= 0:
        raise ValueError(f"{key}: got low {numeric.low} with log, must be > 0; leave log out or raise low")
    if numeric.step is None:
        return
    if numeric.log:
        raise ValueError(f"{key}: got step and log, must be one of them")
    steps = (numeric.high - numeric.low) / numeric.step if numeric.step > 0 else 0.5
    if steps > MOST_STEPS or abs(steps - round(steps)) > 1e-9 * max(1.0, steps):
        raise ValueError(
            f"{key}: got step {numeric.step}, high must be a whole number of steps above low, at most {MOST_STEPS}"
        )
