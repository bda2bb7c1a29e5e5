"""Frames of an extended xyz file, each line checked.

A frame is the number of atoms, a comment of `key=value` pairs, and one row per atom with the columns that `Properties`
in the comment names, such as `species:S:1:pos:R:3:forces:R:3`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from learnsym.data.text import Line, read_lines

UNITS = ("eV", "Angstrom")
"""The units of energies and of lengths; forces are in eV / Angstrom."""
_OURS = {"ev", "electronvolt", "angstrom", "ang", "a", "å"}
_UNIT_KEY = re.compile(r"(.*_)?units?", re.IGNORECASE)


class Keys(NamedTuple):
    """Names under which a file keeps energies and forces."""

    energy: str = "energy"
    forces: str = "forces"

    @property
    def needed(self) -> dict[str, str]:
        """The columns that a frame must have."""
        return {"species": "species:S:1", "pos": "pos:R:3", self.forces: f"{self.forces}:R:3"}


USUAL = Keys()


@dataclass(frozen=True)
class Frame:
    """One molecule with its energy and forces, as lines that have been checked."""

    count: Line
    comment: Line
    rows: list[Line]
    properties: str
    species: tuple[str, ...]


def ase(module: str) -> ModuleType:
    """A module of ASE, which this format comes from.

    Raises:
        ValueError: when ASE is not installed.
    """
    try:
        return importlib.import_module(f"ase.{module}")
    except ImportError as error:
        raise ValueError("extended xyz is read with ASE, which is missing; pip install learnsym[molecules]") from error


def read_frames(path: Path, keys: Keys = USUAL, units_said: bool = False) -> list[Frame]:
    """The frames of a file, plain or `.gz`.

    Args:
        path: the file.
        keys: names of energies and forces.
        units_said: whether units were said, so that those that a frame declares are not compared with the usual ones.

    Raises:
        ValueError: when a line is malformed, or a frame differs from the first in species or columns; names the file,
            the line, and what was expected.
    """
    frames = list(_frames(read_lines(path), keys, units_said))
    if not frames:
        raise ValueError(f"{path}: holds no frames, expected at least one; give an extended xyz file")
    for frame in frames[1:]:
        _check_like(frame, frames[0])
    return frames


def _frames(lines: list[Line], keys: Keys, units_said: bool) -> Iterator[Frame]:
    while lines and not lines[-1].text.strip():
        lines = lines[:-1]
    start = 0
    while start < len(lines):
        count = lines[start]
        if not count.text.strip().isdecimal() or int(count.text) < 1:
            raise count.wrong("the number of atoms of the next frame, an integer >= 1")
        end = start + 2 + int(count.text)
        if end > len(lines):
            raise count.wrong(f"a comment and {int(count.text)} rows after it; the file ends {end - len(lines)} short")
        yield _frame(count, lines[start + 1], lines[start + 2 : end], keys, units_said)
        start = end


def _frame(count: Line, comment: Line, rows: list[Line], keys: Keys, units_said: bool) -> Frame:
    values = _values(comment)
    properties = str(values.get("Properties", ""))
    columns = _columns(comment, properties, keys)
    energy, expected = values.get(keys.energy), f"`{keys.energy}=` and a number" + ("" if units_said else ", in eV")
    if isinstance(energy, bool) or not isinstance(energy, Real):
        raise comment.wrong(expected)
    comment.floats([str(energy)], expected)
    if not units_said:
        _check_units(comment, values)
    for row in rows:
        _check_row(row, columns)
    where = [name for name, _ in columns].index("species")
    return Frame(count, comment, rows, properties, tuple(row.words[where] for row in rows))


def _values(comment: Line) -> dict[str, object]:
    parse = ase("io.extxyz").key_val_str_to_dict
    try:
        return parse(comment.text)
    except (ValueError, IndexError, KeyError) as error:
        raise comment.wrong(f"pairs key=value ({error})") from error


def _columns(comment: Line, properties: str, keys: Keys) -> list[tuple[str, str]]:
    """Name and type of each column."""
    words = properties.split(":")
    triples = list(zip(words[::3], words[1::3], words[2::3], strict=False))
    known = all(kind in ("S", "R", "I", "L") and count.isdecimal() for _, kind, count in triples)
    if len(words) % 3 or not known:
        raise comment.wrong("`Properties=` of triples name:type:columns")
    for name, needed in keys.needed.items():
        if [":".join(triple) for triple in triples if triple[0] == name] != [needed]:
            raise comment.wrong(f"`Properties=` with {needed}, once")
    return [(name, kind) for name, kind, count in triples for _ in range(int(count))]


def _check_units(comment: Line, values: dict[str, object]) -> None:
    for key, value in values.items():
        words = re.findall(r"[^\W\d_]+", str(value).lower())
        if _UNIT_KEY.fullmatch(key) and not (words and set(words) <= _OURS):
            raise comment.wrong(f"units {' and '.join(UNITS)}, not {key}={value}; convert the file")


def _check_row(row: Line, columns: list[tuple[str, str]]) -> None:
    words = row.words
    if len(words) != len(columns):
        raise row.wrong(f"{len(columns)} columns ({' '.join(name for name, _ in columns)}), not {len(words)}")
    row.floats([word for word, (_, kind) in zip(words, columns, strict=True) if kind in "RI"], "a species and numbers")
    symbol = words[[name for name, _ in columns].index("species")]
    if ase("data").atomic_numbers.get(symbol, 0) == 0:
        raise row.wrong(f"the symbol of an element, not {symbol!r}")


def _check_like(frame: Frame, first: Frame) -> None:
    remedy = "split the file, one file per kind of molecule"
    if len(frame.species) != len(first.species):
        raise frame.count.wrong(f"{len(first.species)} atoms as in the first frame; {remedy}")
    if frame.properties != first.properties:
        raise frame.comment.wrong(f"Properties={first.properties} as in the first frame; {remedy}")
    for row, species, known in zip(frame.rows, frame.species, first.species, strict=True):
        if species != known:
            raise row.wrong(f"{known!r} as in the first frame; {remedy}")
