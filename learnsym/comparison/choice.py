"""What is chosen by validation: learning rates, and the sizes and lengths at which an arm does best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame

POINT = ["arm", "train", "size", "steps"]


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
    return best_by_validation(table.query("state == 'finished'"), at=POINT, of=["lr"]).reset_index(drop=True)


def best_by_validation(rows: DataFrame, at: Sequence[str], of: Sequence[str]) -> DataFrame:
    """The rows that have, at each combination of the columns `at`, the best one of the columns `of`.

    The best has the lowest mean validation loss over seeds, among those with as many seeds as any; test scores have no
    part in the choice.
    """
    keys = [*at, *of]
    marked = rows.assign(row=np.arange(len(rows)))
    means = marked.groupby(keys, dropna=False, as_index=False).agg(loss=("val_loss", "mean"), seeds=("seed", "nunique"))
    most = means.groupby(list(at))["seeds"].transform("max")
    best = means.loc[means["seeds"] == most].sort_values(by=["loss", *of]).drop_duplicates(list(at))
    return rows.iloc[np.sort(marked.merge(best[keys])["row"].to_numpy(int))]
