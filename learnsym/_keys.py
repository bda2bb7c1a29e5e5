"""Keys of a run's configuration: a wrong one is refused at once, while torch takes seconds to import.

`_keys.txt` has one key a line, those of all methods and choosers; `python scripts/write_tables.py` writes it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("_keys.txt")
WORDS = ("help", "out", "from", "print_config")
"""Options of `learnsym train` that are no keys."""
COMPARISON = (
    *("base", "arms", "train_sizes", "sizes", "steps", "epochs", "lrs", "seeds"),
    *("redraw", "match", "reference", "stack_below"),
)
"""Keys of a comparison."""
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
    return frozenset(FILE.read_text(encoding="utf8").split())


def keys_in(arguments: Sequence[str]) -> list[str]:
    """The keys that the options among the words of a command line name."""
    return [word[2:].partition("=")[0] for word in arguments if word.startswith("--")]


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
    own = content.keys() - {"seeds"}
    if own and own <= {key for key in known() if "." not in key}:
        return check_content(content)
    for key in content:
        if key not in COMPARISON:
            raise ValueError(f"{key}: unknown key of a comparison; known keys are {', '.join(COMPARISON)}")
    arms = content.get("arms")
    named = arms.items() if isinstance(arms, dict) else ()
    parts = {"base": content.get("base"), **{f"arms.{arm}": own for arm, own in named}}
    for name, own in parts.items():
        try:
            check_content({key: value for key, value in own.items() if key != "from"} if isinstance(own, dict) else {})
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def check_old(keys: Iterable[str]) -> None:
    """Refuse keys of old configurations, with the new ones."""
    for key in keys:
        section, _, name = key.partition(".")
        if section in MOVED:
            own = f"{MOVED[section]}.{name}" if name else MOVED[section]
            raise ValueError(
                f"{key.rstrip('.')}: is now {MOVED.get(key, own)}; CHANGELOG.md shows a configuration before and after"
            )
