"""A whole comparison in one call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym.comparison.config import ComparisonConfig
from learnsym.comparison.plan import Plan, keep
from learnsym.comparison.table import table, write_table
from learnsym.comparison.work import work
from learnsym.workers import locks_for

if TYPE_CHECKING:
    from pandas import DataFrame


def compare(config: ComparisonConfig, out: str | os.PathLike[str], storage: str | None = None) -> DataFrame:
    """Train all cells of a comparison that no other process trains, wait for the others, and read the table.

    Args:
        config: arms and axes.
        out: folder of the comparison; what is there is continued.
        storage: `postgresql://...` where workers do not share the locks of a folder.

    Returns:
        One row for each cell, with the columns of `table.parquet`.

    Raises:
        ValueError: for bad input, before any work starts.
        Interrupted: on a signal; the same call continues.
    """
    plan, locks = Plan.kept(config, out), locks_for(storage, out, "compare")
    folder = keep(plan, Path(out), locks)
    work(plan, folder, locks)
    write_table(folder, locks)
    return table(folder)
