"""Tables of paths and labels: CSV with a header."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from learnsym.data.own.damage import readable
from learnsym.data.own.listing import Listing
from learnsym.data.own.names import SPLIT_NAMES, split_of
from learnsym.data.own.reading import Reading

PATHS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "img", "scan", "volume")
LABELS = ("label", "labels", "class", "class_name", "target", "targets", "category", "y", "score")
REMEDY = "write a header such as path,label and one line a file"


class Row(NamedTuple):
    """A line of the table."""

    number: int
    path: Path
    target: str
    split: str


def read_table(path: Path, reading: Reading) -> tuple[dict[str, Listing], tuple[str, ...]]:
    """The files and targets of a table by split, and which columns were taken.

    Paths are relative to the table. Targets that are all whole numbers are labels, other numbers a regression, and
    text names classes. A column `split` says train, val or test.

    Raises:
        ValueError: when it has no such columns, a line has no path or label, or files are missing.
    """
    header, lines = _lines(path)
    x, y = _columns(path, header, reading)
    split = next((name for name in header if name.lower() in ("split", "subset", "fold")), None)
    rows = [_row(path, number, line, x, y, split) for number, line in lines]
    if not rows:
        raise ValueError(f"data: {path} has a header and no lines; {REMEDY}")
    _check_there(path, rows)
    splits = [each for each in SPLIT_NAMES if any(row.split == each for row in rows)]
    if "train" not in splits:
        raise ValueError(f"data: {path} has no train in the column {split}; name some of its lines train")
    targets = None if y is None else _numbers([row.target for row in rows])
    note = f"columns {x} and {y}" if y else f"column {x}, without targets"
    left = [name for name in header if name not in (x, y, split)]
    notes = (f"taken are {note}", *([f"left out are columns {', '.join(left)}"] if left else []))
    return {each: _listing(rows, targets, each) for each in splits}, notes


def _lines(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    with readable(path, REMEDY), open(path, encoding="utf-8-sig", newline="") as stream:
        first = stream.readline()
        stream.seek(0)
        mark = next((mark for mark in ("\t", ";") if mark in first and "," not in first), ",")
        reader = csv.DictReader(stream, delimiter=mark, strict=True)
        lines = [(reader.line_num, dict(line)) for line in reader]
        return [name.strip() for name in reader.fieldnames or []], [
            (number, {(key or "").strip(): value for key, value in line.items()}) for number, line in lines
        ]


def _columns(path: Path, header: list[str], reading: Reading) -> tuple[str, str | None]:
    for key, name in (("x", reading.x), ("y", reading.y)):
        if name and name not in header:
            raise ValueError(f"data.{key}: {path} has no column {name!r}, must be one of {', '.join(header)}")
    x = reading.x or next((name for name in header if name.lower() in PATHS), None)
    y = reading.y or next((name for name in header if name.lower() in LABELS and name != x), None)
    if x is None:
        raise ValueError(
            f"data.x: {path} has no column of paths among {', '.join(header) or 'none'}; say --data.x COLUMN and "
            f"--data.y COLUMN, or {REMEDY}"
        )
    if y is None and len(header) == 2:
        y = next(name for name in header if name != x)
    if y is None and len(header) > 1:
        raise ValueError(f"data.y: {path} has no column of labels among {', '.join(header)}; say --data.y COLUMN")
    return x, y


def _row(table: Path, number: int, line: dict[str, Any], x: str, y: str | None, split: str | None) -> Row:
    for name in filter(None, (x, y, split)):
        if not (line.get(name) or "").strip():
            raise ValueError(f"data: {table}, line {number}: the column {name} is empty; fill it or remove the line")
    named = "train" if split is None else split_of(line[split].strip())
    if named is None:
        raise ValueError(f"data: {table}, line {number}: the split {line[split or '']!r} is none of train, val, test")
    return Row(number, table.parent / line[x].strip(), line[y].strip() if y else "", named)


def _check_there(table: Path, rows: Sequence[Row]) -> None:
    missing = [row for row in rows if not row.path.is_file()]
    if missing:
        first = missing[0]
        raise ValueError(
            f"data: {table}, line {first.number}: there is no file {first.path} ({len(missing)} of {len(rows)} are "
            "missing); paths are relative to the table"
        )


def _numbers(texts: list[str]) -> list[Any]:
    """The targets as whole numbers or numbers where all of them are."""
    for kind in (int, float):
        try:
            return [kind(text) for text in texts]
        except ValueError:
            continue
    return list(texts)


def _listing(rows: list[Row], targets: list[Any] | None, split: str) -> Listing:
    chosen = [i for i, row in enumerate(rows) if row.split == split]
    return Listing([rows[i].path for i in chosen], None if targets is None else [targets[i] for i in chosen])
