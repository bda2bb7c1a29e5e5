"""Under which names a file keeps energies and forces."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable
from numbers import Real
from pathlib import Path
from typing import NamedTuple

from learnsym.data.molecules.frames import Frame

logger = logging.getLogger(__name__)

_BEFORE = "(ref|dft|qm|target|label|total|potential)"
_ENERGY = re.compile(f"({_BEFORE}[_ ]?)?energy", re.IGNORECASE)
_FORCES = re.compile(f"({_BEFORE}[_ ]?)?forces?", re.IGNORECASE)


class Keys(NamedTuple):
    """Names of energies in comments and of the column of forces; None for what a file does not have."""

    energy: str | None
    forces: str | None


def keys_of(path: Path, frames: list[Frame], energy: str = "", forces: str = "") -> Keys:
    """The names that were said; or else those that the frames have, if there is no doubt.

    Raises:
        ValueError: when there are several, or a frame has not what the others have or what was said.
    """
    energies = (key for frame in frames for key in frame.values if _ENERGY.fullmatch(key))
    columns = (column.name for frame in frames for column in frame.columns if _FORCES.fullmatch(column.name))
    keys = Keys(energy or _guess(path, "energy", energies), forces or _guess(path, "forces", columns))
    for frame in frames:
        _check(frame, keys)
    return keys


def _guess(path: Path, argument: str, names: Iterable[str]) -> str | None:
    found = list(dict.fromkeys(names))
    if len(found) > 1:
        raise ValueError(
            f"{path}: has {' and '.join(found)}; say which is meant, by {argument}={found[-1]!r} (data.{argument})"
        )
    if found and found[0] != argument:
        logger.info("%s: %s is read as %s", path, found[0], argument)
    return found[0] if found else None


def _check(frame: Frame, keys: Keys) -> None:
    if keys.energy is not None:
        value = frame.values.get(keys.energy)
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise frame.comment.wrong(f"`{keys.energy}=` and a number, in every frame; it has {_named(frame)}")
    if keys.forces is not None:
        needed = f"{keys.forces}:R:3"
        if needed not in map(str, frame.columns):
            columns = ", ".join(column.name for column in frame.columns)
            raise frame.comment.wrong(f"`Properties=` with {needed}, in every frame; it has {columns}")


def _named(frame: Frame) -> str:
    return ", ".join(key for key in frame.values if key.lower() != "properties") or "no keys"
