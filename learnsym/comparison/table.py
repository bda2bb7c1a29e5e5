"""The table of a comparison, as a DataFrame and as `table.parquet`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym._found import table_file
from learnsym.comparison.choice import POINT
from learnsym.comparison.rows import COLUMNS, TEXT, WHOLE, read_rows
from learnsym.files import understood, write_atomically
from learnsym.workers import Locks

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

NEEDED = {"arm", "state", "train", "size", "steps", "lr", "seed", "parameters", "samples", "val_loss", "test_loss"}
"""Columns without which a table is none of a comparison."""


def table(folder: Path) -> DataFrame:
    """One row for each cell that has ended."""
    from pandas import DataFrame

    rows = DataFrame(read_rows(folder), columns=list(COLUMNS))
    kinds = {name: "int64" if name in WHOLE else "str" if name in TEXT else "float64" for name in COLUMNS}
    return rows.astype(kinds).sort_values(by=[*POINT, "lr", "seed"], ignore_index=True)


def write_table(folder: Path, locks: Locks) -> Path:
    """Write `table.parquet` from the rows that are there; one process at a time."""
    path = folder / "table.parquet"
    with locks.waiting("table"):
        content = io.BytesIO()
        table(folder).to_parquet(content, index=False)
        write_atomically(path, content.getvalue())
    return path


def read_table(folder: Path) -> DataFrame:
    """What `write_table` has written.

    Raises:
        ValueError: when there is no `table.parquet`, or it is no table of a comparison.
    """
    path, remedy = table_file(folder), "run learnsym compare again, or give a table that it has written"
    import pandas

    with understood(path, "folder", remedy):
        found = pandas.read_parquet(path)
        if missing := sorted(NEEDED - set(found.columns)):
            raise ValueError(f"lacks {', '.join(missing)}")
        numbers = [name for name in found.columns if name in COLUMNS and name not in TEXT]
        return found.assign(**{name: _numbers(found, name) for name in numbers})


def _numbers(found: DataFrame, name: str) -> np.ndarray:
    whole = name in WHOLE and bool(found[name].notna().all())
    try:
        return found[name].to_numpy(dtype="int64" if whole else "float64")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} holds something else than numbers") from error
