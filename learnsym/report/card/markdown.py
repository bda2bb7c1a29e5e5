"""A card as Markdown, as hubs of models show it: metrics and tags in front, then the answer and a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from learnsym.files import write_atomically
from learnsym.report.card.amounts import amount
from learnsym.report.card.card import Card
from learnsym.report.card.row import Row
from learnsym.report.card.table import floor_of
from learnsym.report.card.verdict import meaning, verdict

HEADER = ("symmetry", "measure", "of", "value", "floor")


def write_markdown(card: Card) -> Path:
    """Write `card.md` beside the page, and give its path."""
    path = card.folder / "card.md"
    write_atomically(path, markdown(card).encode())
    return path


def markdown(card: Card) -> str:
    """The card as Markdown with a front matter in YAML."""
    import yaml

    front = yaml.safe_dump(_front(card), sort_keys=False, allow_unicode=True)
    rows = [row for row in (*card.task, *card.rows) if row.site == "output" and row.element is None]
    about = f"`{_plain(card.model)}`, measured on {card.examples:,} examples of {_escaped(card.data)} by learnsym."
    notes = [f"- {_escaped(note)}" for note in card.notes]
    parts = [
        f"---\n{front}---",
        "# How symmetric is this network?",
        about,
        "\n".join(f"- {_escaped(sentence)}" for sentence in verdict(card)),
        _escaped(meaning(card)),
        "## Numbers",
        "\n".join(_table(rows)),
        *(["## Notes", "\n".join(notes)] if notes else []),
    ]
    return "\n\n".join(parts) + "\n"


def _front(card: Card) -> dict[str, Any]:
    measured = [row for row in (*card.task, *card.rows) if row.site == "output" and row.element is None]
    metrics = [{"type": _key(row), "name": _name(row), "value": float(f"{row.shown:.6g}")} for row in measured]
    result = {"task": {"type": "other"}, "dataset": {"name": card.data, "type": card.data}, "metrics": metrics}
    return {
        "tags": ["symmetry", "equivariance", "learnsym"],
        "metrics": list(dict.fromkeys(_key(row) for row in measured)),
        "model-index": [{"name": card.model, "results": [result]}],
    }


def _key(row: Row) -> str:
    return re.sub(r"[^a-z0-9]+", "_", row.measure.lower()).strip("_")


def _name(row: Row) -> str:
    about = ", ".join(filter(None, (row.symmetry, row.about)))
    return f"{row.measure} ({about})" if about else row.measure


def _table(rows: list[Row]) -> list[str]:
    cells = [(row.symmetry, row.measure, row.about, amount(row), floor_of(row)) for row in rows]
    lines = [f"| {' | '.join(map(_escaped, each))} |" for each in (HEADER, *cells)]
    return [lines[0], f"|{'---|' * len(HEADER)}", *lines[1:]]


def _plain(text: str) -> str:
    """Text for within back quotes."""
    return " ".join(text.replace("`", "'").split())


def _escaped(text: str) -> str:
    """Text of which nothing is markup."""
    return re.sub(r"([\\`*_|<>\[\]#])", r"\\\1", " ".join(text.split()))
