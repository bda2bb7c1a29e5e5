"""Settings: frozen dataclasses whose fields say which values they take, and one check of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

LONGEST = 200
"""Characters of a text, such as a name or a label."""
DEFAULT = "leave it out for the default"


@dataclass(frozen=True)
class In:
    """The numbers of an interval, beside `Annotated`: `[0, 1)` holds 0 and not 1. NaN is in none of them.

    Example:
        >>> from learnsym._settings import In
        >>> 0 in In("[0, 1)"), 1 in In("[0, 1)"), float("inf") in In("(0, inf)")
        (True, False, False)
    """

    interval: str

    def __contains__(self, value: float | int) -> bool:
        low, high = map(float, self.interval[1:-1].split(","))
        above = value >= low if self.interval[0] == "[" else value > low
        return above and (value <= high if self.interval[-1] == "]" else value < high)


@dataclass(frozen=True)
class Distinct:
    """A list that holds each value once, and at least as many as this."""

    least: int = 0


@dataclass(frozen=True)
class Longest:
    """A text of at most so many characters, where that is not `LONGEST`."""

    characters: int


Seed = Annotated[int, In("[0, 4294967295]")]
Count = Annotated[int, In("[1, 1000000000]")]
"""Of steps and examples."""
Copies = Annotated[int, In("[1, 4096]")]
"""Of one example, all of which are in memory at once."""
Processes = Annotated[int, In("[1, 1024]")]
NotNegative = Annotated[float, In("[0, inf)")]
Positive = Annotated[float, In("(0, inf)")]
Share = Annotated[float, In("(0, 1)")]
PathText = Annotated[str, Longest(4096)]
"""A name, or a path, which may be long."""


def check_settings(settings: object, section: str = "") -> None:
    """Check type and range of every field of a dataclass.

    Args:
        settings: an instance of a dataclass.
        section: what its keys begin with where they are typed, such as `train.`.

    Raises:
        ValueError: one sentence with the key, the value and what it may be.
    """
    for name, kind in kinds_of(type(settings)).items():
        check(f"{section}{name}", getattr(settings, name), kind)


@lru_cache
def kinds_of(settings: type) -> dict[str, Any]:
    """The annotation of each field of a dataclass, with its range."""
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: hints[field.name] for field in fields(settings)}  # type: ignore[arg-type]


@cache
def usual(settings: type) -> Any:  # noqa: ANN401  one of them
    """Settings of a class at their defaults; no one changes them, so that all share them."""
    return settings()


def check(name: str, value: object, kind: Any) -> None:  # noqa: ANN401  an annotation
    """Check one value against an annotation.

    Raises:
        ValueError: one sentence with the name, the value and what it may be.
    """
    _CHECKS.get(get_origin(kind) or kind, _check_class)(name, value, kind)


def shown(value: object) -> str:
    """A value as in a sentence: in one line, and not all of it where it is long."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**LONGEST else "a very large number"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}..."


def _refuse(name: str, value: object, must: str, remedy: str = DEFAULT) -> None:
    raise ValueError(f"{name}: got {shown(value)}, must be {must}; {remedy}")


def _check_annotated(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    plain, *rules = get_args(kind)
    longest = next((rule.characters for rule in rules if isinstance(rule, Longest)), None)
    if longest is None:
        check(name, value, plain)
    else:
        _check_line(name, value, longest)
    for rule in rules:
        if isinstance(rule, In) and value not in rule:  # type: ignore[operator]
            _refuse(name, value, f"{_NUMBERS[plain]} in {rule.interval}")
        if isinstance(rule, Distinct):
            _check_distinct(name, list(value), rule)  # type: ignore[call-overload]


def _check_distinct(name: str, values: list[object], rule: Distinct) -> None:
    least = "one value" if rule.least == 1 else f"{rule.least} values"
    if len(values) < rule.least:
        raise ValueError(f"{name}: got {shown(values)}, must name at least {least}; {DEFAULT}")
    if len(set(values)) < len(values):
        raise ValueError(f"{name}: got {shown(values)}, must differ; name each once")


def _check_union(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    members = [member for member in get_args(kind) if member is not NoneType]
    if value is None and len(members) < len(get_args(kind)):
        return
    for member in members[:-1]:
        try:
            return check(name, value, member)
        except ValueError:
            continue
    check(name, value, members[-1])


def _check_literal(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    if not isinstance(value, str) or value not in get_args(kind):
        _refuse(name, value, f"one of {', '.join(get_args(kind))}")


def _check_list(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    if not isinstance(value, list | tuple):
        _refuse(name, value, "a list", "write it as [a, b]")
    for each in value:  # type: ignore[attr-defined]
        check(name, each, get_args(kind)[0])


def _check_dict(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return _refuse(name, value, "keys with values", "write it as {key: value}")
    for key, each in value.items():
        check(f"a key of {name}", key, get_args(kind)[0])
        check(name, each, get_args(kind)[1])


def _check_number(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float if kind is float else int):
        _refuse(name, value, _NUMBERS[kind])
    if kind is float and not (abs(value) < 1e300 and math.isfinite(value)):  # type: ignore[arg-type]
        _refuse(name, value, _NUMBERS[kind])
    if kind is int and abs(value) >= 2**63:  # type: ignore[arg-type]
        _refuse(name, value, "a whole number of at most 18 digits")


def _check_text(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    _check_line(name, value, LONGEST)


def _check_line(name: str, value: object, longest: int) -> None:
    if not isinstance(value, str):
        _refuse(name, value, "text", "put it in quotes")
    if not value.isprintable() or len(value) > longest:  # type: ignore[attr-defined]
        _refuse(name, value, f"one line of at most {longest} characters", "shorten it")


def _check_bool(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    if not isinstance(value, bool):
        _refuse(name, value, "true or false")


def _check_class(name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    if isinstance(kind, type) and is_dataclass(kind) and not isinstance(value, kind):
        raise ValueError(f"{name}: got {shown(value)}, must be a {kind.__name__}; {DEFAULT}")


_NUMBERS = {int: "a whole number", float: "a finite number"}
_CHECKS: dict[Any, Callable[[str, object, Any], None]] = {
    Annotated: _check_annotated,
    Union: _check_union,
    UnionType: _check_union,
    Literal: _check_literal,
    list: _check_list,
    tuple: _check_list,
    dict: _check_dict,
    Mapping: _check_dict,
    int: _check_number,
    float: _check_number,
    str: _check_text,
    bool: _check_bool,
}
