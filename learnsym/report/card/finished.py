"""Finished steps of a card: kept on the disk, and used again for the same question only."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learnsym.files import write_json
from learnsym.report.card.card import Card
from learnsym.report.card.row import Row

VERSION = 2
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
        return kept and [*(Row(**row) for row in kept["rows"]), *kept["notes"]]

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
        content = {"model": card.model, "data": card.data, "examples": card.examples, "notes": list(card.notes)}
        self._write({**content, "rows": [asdict(row) for row in card.rows]})

    def _fits(self, name: str, step: Any) -> bool:  # noqa: ANN401
        key = self.keys.get(name.partition("/")[0])
        try:
            return key is not None and step["key"] == key and all(Row(**row) for row in step["rows"])
        except (KeyError, TypeError):
            return False

    def _write(self, content: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {"version": VERSION, **content, "steps": self.steps}, indent=1)


def _read(path: Path) -> dict[str, Any]:
    """The steps in a file; none when it is missing, damaged or of another version."""
    try:
        content = json.loads(path.read_text(encoding="utf8"))
        return dict(content["steps"]) if content["version"] == VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
