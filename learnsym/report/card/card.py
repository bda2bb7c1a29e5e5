"""Card: what was measured of one model."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from learnsym.report.card.row import AGREEMENT, ERROR_AT, Row

EXACTLY = 1e-4
"""A relative error that rounding makes."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Card:
    """What a model does under each named symmetry, overall and layer by layer."""

    folder: Path
    model: str
    data: str
    examples: int
    symmetries: tuple[str, ...]
    """Names, in the order in which they were asked for."""
    rows: tuple[Row, ...]
    task: tuple[Row, ...] = ()
    """Accuracy and loss, where there are targets."""
    doubt: str = ""
    """Why the symmetry of this model says nothing of a solution; empty for a model that has learned something."""
    tolerance: float = 0.1
    """How much may change where a model still counts as symmetric."""
    tried: Mapping[str, str] = field(default_factory=dict)
    """Which elements of each group were tried; empty for a compact one that was tried as a whole."""
    moving: tuple[str, ...] = ()
    """Symmetries under which outputs move with inputs."""
    notes: tuple[str, ...] = ()
    text: str = ""
    """The answer and the numbers, as a terminal shows them."""

    def __repr__(self) -> str:
        return self.text or f"Card of {self.model}"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, for notebooks."""
        page = html.escape(self.page.read_text(encoding="utf8"))
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 720px; border: 0"></iframe>'

    @property
    def cards(self) -> tuple[Card, ...]:
        """This one; of a pair there are two."""
        return (self,)

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / "card.html"

    def of(self, symmetry: str, measure: str) -> list[Row]:
        """The rows of one measure under one symmetry."""
        return [row for row in self.rows if row.symmetry == symmetry and row.measure.startswith(measure)]

    def overall(self, symmetry: str, measure: str) -> Row | None:
        """The row of one measure over all elements that were tried."""
        return next((row for row in self.of(symmetry, measure) if row.element is None), None)

    def at_elements(self, symmetry: str, generator: str | None) -> list[Row]:
        """What is known along a generator, or at single elements: predictions that stay, else errors."""
        for measure in (AGREEMENT, ERROR_AT):
            rows = [row for row in self.of(symmetry, measure) if row.element is not None and row.generator == generator]
            if rows:
                return rows
        return []

    def changed(self, row: Row) -> float:
        """The share of predictions that change, or the error beyond interpolation."""
        return 1 - row.value if row.measure == AGREEMENT else row.shown - (row.floor or 0.0)

    def is_exact(self, symmetry: str) -> bool:
        """Whether nothing but rounding changes at any element."""
        errors = [row.shown for row in self.of(symmetry, ERROR_AT)]
        return bool(errors) and max(errors) <= EXACTLY
