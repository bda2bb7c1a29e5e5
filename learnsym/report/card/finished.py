"""Finished steps of a card: kept on the disk, and used again for the same question only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from learnsym.files import write_json, writing
from learnsym.report.card.card import Card
from learnsym.report.card.row import Row
from learnsym.report.card.verdict import verdict

VERSION = 3
"""Of the file."""

Found = list[Row | str]
"""What a step gave: rows, and notes."""


class FinishedSteps:
    """Finished steps in `card.json`, each with the key of what it was computed from.

    While steps end, each is a line of `steps.jsonl`, so that what is written does not grow with those before it.

    Args:
        folder: of the card.
        keys: one per symmetry, see `fingerprint`; None where it is not known, and nothing is kept.
    """

    def __init__(self, folder: Path, keys: dict[str, str | None]) -> None:
        self.path, self.lines = folder / "card.json", folder / "steps.jsonl"
        self.keys = keys
        read = {**_read(self.path), **_read_lines(self.lines)}
        self.steps = {name: step for name, step in read.items() if self._fits(name, step)}

    def load(self, symmetry: str, step: str) -> Found | None:
        """What a finished step gave."""
        kept = self.steps.get(f"{symmetry}/{step}")
        return kept and [*map(_row, kept["rows"]), *kept["notes"]]

    def save(self, symmetry: str, step: str, found: Found) -> None:
        """Keep a finished step."""
        if self.keys[symmetry] is None:
            return
        rows = [asdict(row) for row in found if isinstance(row, Row)]
        notes = [note for note in found if isinstance(note, str)]
        content = {"key": self.keys[symmetry], "rows": rows, "notes": notes}
        self.steps[f"{symmetry}/{step}"] = content
        self.lines.parent.mkdir(parents=True, exist_ok=True)
        with writing(self.lines), open(self.lines, "a", encoding="utf8") as stream:
            # a new line first, since the last one of a work that was killed may have no end
            stream.write("\n" + json.dumps({"version": VERSION, "name": f"{symmetry}/{step}", "step": content}))

    @contextmanager
    def kept_when_stopped(self) -> Iterator[None]:
        """Put finished steps into `card.json` when the work is stopped."""
        try:
            yield
        except BaseException:
            if self.lines.exists():
                self._write({})
            raise

    def finish(self, card: Card) -> None:
        """Write the whole card."""
        names = ("model", "data", "examples", "symmetries", "doubt", "tolerance", "tried", "moving", "notes")
        rows = {name: [_written(row) for row in getattr(card, name)] for name in ("task", "rows")}
        self._write({**{name: getattr(card, name) for name in names}, "verdict": verdict(card), **rows})

    def _fits(self, name: str, step: Any) -> bool:  # noqa: ANN401
        key = self.keys.get(name.partition("/")[0])
        try:
            return key is not None and step["key"] == key and all(map(_row, step["rows"]))
        except (KeyError, TypeError):
            return False

    def _write(self, content: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {"version": VERSION, **content, "steps": self.steps}, indent=1)
        self.lines.unlink(missing_ok=True)


def _written(row: Row) -> dict[str, Any]:
    """A row for readers, without the values of examples."""
    return asdict(replace(row, per_example=None))


def _row(content: dict[str, Any]) -> Row:
    """A row as a file holds it."""
    values = content.get("per_example")
    return Row(**{**content, "per_example": None if values is None else tuple(values)})


def _read(path: Path) -> dict[str, Any]:
    """The steps in a file; none when it is missing, damaged or of another version."""
    try:
        content = json.loads(path.read_text(encoding="utf8"))
        return dict(content["steps"]) if content["version"] == VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _read_lines(path: Path) -> dict[str, Any]:
    """The steps of a work that was killed; a line that is damaged, such as the last one, is left out."""
    steps: dict[str, Any] = {}
    try:
        lines = path.read_text(encoding="utf8").splitlines()
    except (OSError, ValueError):
        return steps
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            content = json.loads(line)
            if content["version"] == VERSION:
                steps[content["name"]] = content["step"]
    return steps
