"""Frames of an extended xyz file, each line checked.

A frame is the number of atoms, a comment of `key=value` pairs, and one row per atom with the columns that `Properties`
in the comment names, such as `species:S:1:pos:R:3:forces:R:3`; without it, the species and the position.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from learnsym.data.text import Line, read_lines

UNITS = ("eV", "Angstrom")
"""The units of energies and of lengths; forces are in eV / Angstrom."""
_OURS = {"ev", "electronvolt", "angstrom", "ang", "a", "å"}
_UNIT_KEY = re.compile(r"(.*_)?units?", re.IGNORECASE)
_PROPERTIES = re.compile(r"""(?<!\S)properties=("[^"]*"|'[^']*'|\S+)""", re.IGNORECASE)
PLAIN = "species:S:1:pos:R:3"
NAMES = {
    **dict.fromkeys(("species", "element", "elements", "symbol", "symbols"), "species"),
    **dict.fromkeys(("z", "numbers", "atomic_number", "atomic_numbers"), "Z"),
    **dict.fromkeys(("pos", "positions", "position", "coordinates"), "pos"),
}
"""What columns of elements and positions are called, in small letters, and what ASE calls them."""


class Column(NamedTuple):
    """One triple of `Properties`."""

    name: str
    kind: str
    width: int

    def __str__(self) -> str:
        return f"{self.name}:{self.kind}:{self.width}"


@dataclass(frozen=True)
class Frame:
    """One structure, as lines that have been checked."""

    count: Line
    comment: Line
    rows: list[Line]
    values: dict[str, object]
    """The pairs of the comment."""
    columns: tuple[Column, ...]

    @property
    def elements(self) -> list[str]:
        """The word of each row that says its element."""
        where = _start(self.columns, "species", "Z")
        return [row.words[where] for row in self.rows]

    @property
    def text(self) -> str:
        """The frame as ASE reads it."""
        given = f"Properties={':'.join(map(str, self.columns))}"
        comment = _PROPERTIES.sub("", self.comment.text)
        return "\n".join([self.count.text, f"{given} {comment}", *(row.text for row in self.rows)]) + "\n"


def ase(module: str) -> ModuleType:
    """A module of ASE, which this format comes from.

    Raises:
        ValueError: when ASE is not installed.
    """
    try:
        return importlib.import_module(f"ase.{module}")
    except ImportError as error:
        raise ValueError("extended xyz is read with ASE, which is missing; pip install learnsym[molecules]") from error


def read_frames(path: Path, units_said: bool = False) -> list[Frame]:
    """The frames of a file, plain or `.gz`.

    Args:
        path: the file.
        units_said: whether units were said, so that those that a frame declares are not compared with the usual ones.

    Raises:
        ValueError: when a line is malformed; names the file, the line, and what was expected.
    """
    frames = list(_frames(read_lines(path), units_said))
    if not frames:
        raise ValueError(f"{path}: holds no frames, expected at least one; give an extended xyz file")
    return frames


def _frames(lines: list[Line], units_said: bool) -> Iterator[Frame]:
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
        yield _frame(count, lines[start + 1], lines[start + 2 : end], units_said)
        start = end


def _frame(count: Line, comment: Line, rows: list[Line], units_said: bool) -> Frame:
    values = _values(comment)
    columns = _columns(comment, rows[0], _PROPERTIES.search(comment.text))
    if not units_said:
        _check_units(comment, values)
    for row in rows:
        _check_row(row, columns)
    return Frame(count, comment, rows, values, columns)


def _values(comment: Line) -> dict[str, object]:
    parse = ase("io.extxyz").key_val_str_to_dict
    try:
        return parse(comment.text)
    except (ValueError, IndexError, KeyError) as error:
        raise comment.wrong(f"pairs key=value ({error})") from error


def _columns(comment: Line, row: Line, given: re.Match[str] | None) -> tuple[Column, ...]:
    """What rows hold, elements and positions under the names of ASE."""
    if given is None and len(row.words) != 4:
        raise comment.wrong(f"`Properties=` with the names of the {len(row.words)} columns")
    words = (PLAIN if given is None else given[1].strip("\"'")).split(":")
    triples = list(zip(words[::3], words[1::3], words[2::3], strict=False))
    known = all(kind in ("S", "R", "I", "L") and width.isdecimal() and int(width) for _, kind, width in triples)
    if len(words) % 3 or not known:
        raise comment.wrong("`Properties=` of triples name:type:columns")
    columns = tuple(Column(NAMES.get(name.lower(), name), kind, int(width)) for name, kind, width in triples)
    found = {str(column) for column in columns}
    if not found & {"species:S:1", "Z:I:1"} or "pos:R:3" not in found:
        raise comment.wrong("`Properties=` with species:S:1 or Z:I:1, and pos:R:3")
    if len({column.name for column in columns}) < len(columns):
        raise comment.wrong("`Properties=` with every name once")
    return columns


def _check_units(comment: Line, values: dict[str, object]) -> None:
    for key, value in values.items():
        words = re.findall(r"[^\W\d_]+", str(value).lower())
        if _UNIT_KEY.fullmatch(key) and not (words and set(words) <= _OURS):
            raise comment.wrong(f"units {' and '.join(UNITS)}, not {key}={value}; say units, or convert the file")


def _check_row(row: Line, columns: tuple[Column, ...]) -> None:
    words, kinds = row.words, "".join(column.kind * column.width for column in columns)
    if len(words) != len(kinds):
        names = " ".join(column.name for column in columns)
        raise row.wrong(f"{len(kinds)} columns ({names}), not {len(words)}")
    row.floats([word for word, kind in zip(words, kinds, strict=True) if kind in "RI"], "a species and numbers")
    _check_element(row, words[_start(columns, "species", "Z")])


def _check_element(row: Line, word: str) -> None:
    known = ase("data").atomic_numbers
    number = int(word) if word.isdecimal() else known.get(word, 0)
    if not 0 < number < len(known):
        raise row.wrong(f"the symbol of an element, not {word!r}")


def _start(columns: tuple[Column, ...], *names: str) -> int:
    """In which word of a row the first column of one of these names starts."""
    place = next(i for i, column in enumerate(columns) if column.name in names)
    return sum(column.width for column in columns[:place])
