"""What the numbers of a card say, in words."""

from __future__ import annotations

from learnsym.report.card.card import Card
from learnsym.report.card.row import Row


def with_error(row: Row) -> str:
    """The number of a row with its standard error."""
    return f"{row.shown:.3g}" + ("" if row.stderr is None else f" ± {row.stderr:.1g}")


def headline(card: Card, symmetry: str) -> str:
    """The number that a reader should take home."""
    for row in card.of(symmetry, "loss due"):
        return f"{row.value:.2g} % of the loss is due to imperfect symmetry"
    for row in card.of(symmetry, "equivariance error"):
        return f"Equivariance error {row.shown:.2g}"
    return "Not measured"


def detail(card: Card, symmetry: str) -> str:
    """What stands behind the headline."""
    parts = [f"± {row.stderr:.1g} points" for row in card.of(symmetry, "loss due") if row.stderr is not None]
    for row in card.of(symmetry, "equivariance error"):
        parts.append(f"equivariance error {with_error(row)}, of which interpolation makes up to {row.floor or 0:.2g}")
    for row in card.of(symmetry, "exact up"):
        exact = "cannot be told from exact" if row.value > 0.05 else "is not exact"
        parts.append(f"beyond interpolation it {exact} (p = {row.value:.2g})")
    for row in card.of(symmetry, "agreement"):
        parts.append(f"{row.value:.0%} of predictions stay")
    return "; ".join(parts) + "." if parts else ""
