"""The table of a comparison, as a DataFrame and as `table.parquet`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym.comparison.rows import COLUMNS, read_rows
from learnsym.training.checkpoint import write_atomically
from learnsym.workers import Locks

if TYPE_CHECKING:
    from pandas import DataFrame

WHOLE = ("train", "size", "width", "steps", "batch_size", "seed", "parameters", "samples")
TEXT = ("cell", "state", "failure", "arm", "degrees")
POINT = ["arm", "train", "size", "steps"]


def table(folder: Path) -> DataFrame:
    """One row for each cell that has ended."""
    from pandas import DataFrame

    found = DataFrame(read_rows(folder), columns=list(COLUMNS))
    kinds = {name: "int64" if name in WHOLE else "str" if name in TEXT else "float64" for name in COLUMNS}
    return found.astype(kinds).sort_values(by=[*POINT, "lr", "seed"], ignore_index=True)


def write_table(folder: Path, locks: Locks) -> Path:
    """Write `table.parquet` from the rows that are there; one process at a time."""
    path = folder / "table.parquet"
    with locks.waiting("table"):
        content = io.BytesIO()
        table(folder).to_parquet(content, index=False)
        write_atomically(path, content.getvalue())
    return path


def chosen(table: DataFrame) -> DataFrame:
    """The finished rows with the learning rate of best mean validation loss over seeds, at each point of each arm.

    A rate counts where most seeds finished with it: one that diverged is not chosen for its lucky seeds.

    Args:
        table: as `learnsym compare` writes it.

    Example:
        >>> import pytest
        >>> pandas = pytest.importorskip("pandas")
        >>> point = {"state": "finished", "arm": "plain", "train": 100, "size": 8, "steps": 10}
        >>> rows = [{**point, "lr": lr, "seed": 0, "val_loss": loss} for lr, loss in ((0.1, 0.5), (0.01, 0.4))]
        >>> ls.comparison.chosen(pandas.DataFrame(rows)).lr.tolist()
        [0.01]
    """
    finished = table.query("state == 'finished'")
    means = finished.groupby([*POINT, "lr"], as_index=False).agg(loss=("val_loss", "mean"), seeds=("seed", "size"))
    most = means.groupby(POINT)["seeds"].transform("max")
    best = means.loc[means["seeds"] == most].sort_values(by=["loss", "lr"]).drop_duplicates(POINT)
    return finished.merge(best[[*POINT, "lr"]], on=[*POINT, "lr"]).reset_index(drop=True)
