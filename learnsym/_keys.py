"""Keys of a run's configuration: a wrong one is refused at once, while torch takes seconds to import.

`_kinds.py` has all of them, with those of all methods and choosers; `python scripts/write_tables.py` writes it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from learnsym._kinds import COMPARISON, KINDS

WORDS = ("help", "out", "from", "print_config")
"""Options of `learnsym train` that are no keys."""
MOVED = {
    "augment.twin": "twin",
    "augment": "method",
    "relax.layer": "method.name",
    "relax": "method",
    "penalty.mode": "method.mode, with method.name remul",
    "penalty.weighting": "chooser.name",
    "penalty.tolerance": "chooser.tolerance",
    "penalty": "method",
    "objective.loss": "loss.name",
    "objective.ignore": "loss.ignore",
    "objective.chooser": "chooser.name",
    "objective.chooser_batch": "chooser.batch",
    "objective.chooser_copies": "chooser.copies",
    "objective": "method",
}
"""Keys of old configurations, and where their settings are now."""


@cache
def known() -> frozenset[str]:
    """All keys, with those that hold others."""
    return frozenset(KINDS)


def keys_in(arguments: Sequence[str]) -> list[str]:
    """The keys that the options among the words of a command line name."""
    return [word[2:].partition("=")[0] for word in arguments if word.startswith("--")]


def given(key: str, arguments: Sequence[str]) -> str | None:
    """The value of a key on a command line, None where it is not there; the later one counts."""
    option = f"--{key}"
    values = [
        following if word == option else word.removeprefix(f"{option}=")
        for word, following in zip(arguments, [*arguments, ""][1:], strict=True)
        if word == option or word.startswith(f"{option}=")
    ]
    return values[-1] if values else None


def check_known(keys: Iterable[str]) -> None:
    """Refuse keys that no configuration has, whatever its method and its chooser.

    Raises:
        ValueError: with the known key that looks most like it, if one does.

    Example:
        >>> from learnsym._keys import check_known
        >>> check_known(["net.widht"])
        Traceback (most recent call last):
            ...
        ValueError: net.widht: unknown key; did you mean net.width? see --help
    """
    keys = list(keys)
    check_old(keys)
    for key in keys:
        if key not in known() and key not in WORDS:
            close = difflib.get_close_matches(key, sorted(known()), n=1, cutoff=0.75)
            raise ValueError(f"{key}: unknown key; {f'did you mean {close[0]}? ' if close else ''}see --help")


def check_content(content: Mapping[str, Any], prefix: str = "") -> None:
    """Refuse keys of a file that no configuration has; below a key with names of its own, none is looked at.

    Args:
        content: nested keys and values.
        prefix: of the keys, such as `net.`.

    Raises:
        ValueError: with the known key that looks most like it, if one does.
    """
    for key, value in content.items():
        if isinstance(value, dict) and f"{prefix}{key}" not in known():
            check_known(f"{prefix}{key}.{name}" for name in value)
        check_known([f"{prefix}{key}"])
        if isinstance(value, dict) and any(name.startswith(f"{prefix}{key}.") for name in known()):
            check_content(value, f"{prefix}{key}.")


def check_comparison(content: Mapping[str, Any]) -> None:
    """Refuse keys that no comparison has, nor the configurations of its arms; a file of a run is its base.

    Raises:
        ValueError: with the known keys, or the one that looks most like it.
    """
    for key in () if _is_run(content) else content:
        if key not in COMPARISON:
            raise ValueError(f"{key}: unknown key of a comparison; known keys are {', '.join(COMPARISON)}")
    for name, own in parts_of(content).items():
        about(name, check_content, own)


def parts_of(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The configurations of runs in that of a comparison: the base, and each arm; a file of a run is its base."""
    if _is_run(content):
        return {"": content}
    arms = content.get("arms")
    named = arms.items() if isinstance(arms, dict) else ()
    parts = {"base": content.get("base"), **{f"arms.{arm}": own for arm, own in named}}
    return {
        name: {key: value for key, value in own.items() if key != "from"}
        for name, own in parts.items()
        if isinstance(own, dict)
    }


def about(part: str, check: Callable[..., None], *given: object) -> None:
    """Check a part of a configuration, whose name stands before what is wrong."""
    try:
        check(*given)
    except ValueError as error:
        raise ValueError(f"{part}: {error}" if part else str(error)) from None


def _is_run(content: Mapping[str, Any]) -> bool:
    """Whether a file is the configuration of a run; both kinds have seeds."""
    own = content.keys() - {"seeds"}
    return bool(own) and own <= {key for key in known() if "." not in key}


def check_old(keys: Iterable[str]) -> None:
    """Refuse keys of old configurations, with the new ones."""
    for key in keys:
        section, _, name = key.partition(".")
        if section in MOVED:
            own = f"{MOVED[section]}.{name}" if name else MOVED[section]
            raise ValueError(
                f"{key.rstrip('.')}: is now {MOVED.get(key, own)}; CHANGELOG.md shows a configuration before and after"
            )
