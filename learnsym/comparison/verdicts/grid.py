"""Rows of the table by their place in the grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from jaxtyping import Float

from learnsym.comparison.choice import best_by_validation

if TYPE_CHECKING:
    import pandas as pd

SAME = 1.1
"""Lengths in passes over the data are rounded to whole steps; those nearer than this factor are one length."""


@dataclass(frozen=True, order=True, kw_only=True)
class Place:
    """A place in the grid that all arms share."""

    train: int
    size: int
    length: float
    """Steps, or passes over the training examples when the table was made of these."""


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """The cells that ended well."""
    return where(table, state="finished")


def where(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    """The rows that have these values in the columns of these names."""
    for name, value in values.items():
        table = cast("pd.DataFrame", table[table[name] == value])
    return table


def length_unit(table: pd.DataFrame) -> str:
    """`steps`, or `epochs` where these have fewer values: data sizes then share the passes, not the steps."""
    return "epochs" if len(set(_epochs(table))) < table["steps"].nunique() else "steps"


def lengths(table: pd.DataFrame) -> pd.Series:
    """How long each row trained, equal for rows of one length."""
    import pandas as pd

    by_epochs = length_unit(table) == "epochs"
    return pd.Series(_epochs(table) if by_epochs else table["steps"].to_numpy(float), index=table.index)


def _epochs(table: pd.DataFrame) -> Float[np.ndarray, " P"]:
    """Passes over the training examples, the same number for all that differ by rounding alone."""
    epochs = (table["samples"] / table["train"]).to_numpy(float)
    ordered = np.sort(epochs)
    groups = np.split(ordered, np.flatnonzero(ordered[1:] > SAME * ordered[:-1]) + 1)
    centres = np.array([round(float(np.median(group)), 3) for group in groups if len(group)])
    starts = [group[0] for group in groups if len(group)]
    return centres[np.searchsorted(starts, epochs, side="right") - 1] if len(epochs) else epochs


def settings(table: pd.DataFrame) -> Iterator[tuple[tuple[int, float], pd.DataFrame]]:
    """The finished rows of each (size, length) of the grid."""
    rows = finished(table)
    length = lengths(rows)
    for size in sorted(set(rows["size"])):
        of_size = where(rows, size=size)
        for value in sorted(set(length[of_size.index])):
            yield (int(size), float(value)), cast("pd.DataFrame", of_size[length[of_size.index] == value])


def at_best(table: pd.DataFrame) -> pd.DataFrame:
    """The finished rows of the size, length and rate that each arm does best with at each number of examples.

    While cells are still to come, only those with all seeds so far compete.
    """
    rows = finished(table)
    marked = rows.assign(length=lengths(rows))
    return best_by_validation(marked, at=["arm", "train"], of=["size", "length", "lr"]).drop(columns="length")
