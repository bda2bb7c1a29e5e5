"""The table of a comparison, as a DataFrame and as `table.parquet`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym.comparison.choice import POINT
from learnsym.comparison.rows import COLUMNS, read_rows
from learnsym.files import write_atomically
from learnsym.workers import Locks

if TYPE_CHECKING:
    from pandas import DataFrame

WHOLE = ("train", "size", "width", "steps", "batch_size", "seed", "parameters", "samples")
TEXT = ("cell", "state", "failure", "arm", "degrees")


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
