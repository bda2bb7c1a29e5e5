"""Finished steps of a card: kept on the disk, and used again for the same question only."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from learnsym.files import write_json
from learnsym.report.card.card import Card
from learnsym.report.card.row import Row
from learnsym.report.card.verdict import verdict

VERSION = 3
"""Of the file."""

Found = list[Row | str]
"""What a step gave: rows, and notes."""


class FinishedSteps:
    """Finished steps in `card.json`, each with the key of what it was computed from.

    Args:
        folder: of the card.
        keys: one per symmetry, see `fingerprint`; None where it is not known, and nothing is kept.
    """

    def __init__(self, folder: Path, keys: dict[str, str | None]) -> None:
        self.path = folder / "card.json"
        self.keys = keys
        self.steps = {name: step for name, step in _read(self.path).items() if self._fits(name, step)}

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
        self.steps[f"{symmetry}/{step}"] = {"key": self.keys[symmetry], "rows": rows, "notes": notes}
        self._write({})

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
