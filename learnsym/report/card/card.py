"""Card: what was measured of one model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from learnsym.report.card.row import Row


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a model does under each named symmetry, overall and layer by layer."""

    folder: Path
    model: str
    data: str
    examples: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / "card.html"

    @property
    def symmetries(self) -> list[str]:
        """Names, in the order in which they were asked for."""
        return list(dict.fromkeys(row.symmetry for row in self.rows))

    def of(self, symmetry: str, measure: str) -> list[Row]:
        """The rows of one measure under one symmetry."""
        return [row for row in self.rows if row.symmetry == symmetry and row.measure.startswith(measure)]
