"""What a comparison has so far, read from its folder."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnsym.comparison import chosen
from learnsym.comparison.plan import read_plan
from learnsym.comparison.table import read_table
from learnsym.comparison.verdicts import LOSS, Metric, Scores, at_best, finished, metric_of, where
from learnsym.statistics import LEVEL
from learnsym.training.config_file import read_mapping

if TYPE_CHECKING:
    from pandas import DataFrame

AXES = ("train_sizes", "sizes", "steps", "epochs", "lrs")
PAIRS = 3
"""Two or three twins are compared each with each, more of them only with the reference."""


@dataclass(frozen=True)
class Findings:
    """The table and the configuration of a comparison."""

    folder: Path
    specification: dict[str, Any]
    table: DataFrame
    level: float = LEVEL
    test_examples: int | None = None

    @cached_property
    def rows(self) -> DataFrame:
        """Finished rows at the learning rate that validation chose."""
        return chosen(self.table)

    @cached_property
    def metric(self) -> Metric:
        """The metric by which arms are compared."""
        return metric_of(self.rows)

    @cached_property
    def arms(self) -> list[str]:
        """Arms with a finished cell, in the order of the configuration."""
        there = list(dict.fromkeys(self.rows["arm"]))
        named = [arm for arm in self.specification.get("arms") or {} if arm in there]
        return named + [arm for arm in there if arm not in named]

    @property
    def named_arms(self) -> list[str]:
        """The arms of the configuration, else those of the table."""
        return [str(arm) for arm in self.specification.get("arms") or dict.fromkeys(self.table["arm"])]

    @cached_property
    def learned(self) -> list[str]:
        """Arms that learned degrees."""
        with_degrees = {arm for arm, text in zip(self.rows["arm"], self.rows["degrees"], strict=True) if _degrees(text)}
        return [arm for arm in self.arms if arm in with_degrees or arm.startswith("learned")]

    @property
    def twins(self) -> list[str]:
        """All other arms."""
        return [arm for arm in self.arms if arm not in self.learned]

    @property
    def reference(self) -> str:
        """The arm whose width is the model size."""
        named = self.specification.get("reference") or next(iter(self.specification.get("arms") or {}), "")
        return named if named in self.arms else self.arms[0]

    @property
    def base(self) -> str:
        """The arm that differences are to: plain, else the reference, else the first that is not learned."""
        order = ["plain", self.reference, *self.twins, *self.arms]
        return next(arm for arm in order if arm in self.arms)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Arms whose crossovers are looked for."""
        arms = self.twins if len(self.twins) > 1 else self.arms
        if len(arms) <= PAIRS:
            pairs = list(combinations(arms, 2))
        else:
            centre = self.base if self.base in arms else arms[0]
            pairs = [(centre, arm) for arm in arms if arm != centre]
        return sorted(pairs, key=lambda pair: set(pair) != {"plain", "exact"})

    @cached_property
    def scores(self) -> Scores:
        """Scores of all cells."""
        return Scores(self.rows, self.metric, self.level, self.test_examples)

    def best_scores(self, rows: DataFrame | None = None, metric: Metric | None = None) -> Scores:
        """Scores of each arm and number of examples at the size and length that validation chose among `rows`."""
        best = self.best_rows if rows is None else at_best(rows)
        return Scores(best, metric or self.metric, self.level, self.test_examples)

    @cached_property
    def best_rows(self) -> DataFrame:
        """The rows that each arm does best with at each number of examples, see `at_best`."""
        return at_best(self.rows)

    @cached_property
    def chosen_scores(self) -> Scores:
        """Scores of each arm and number of examples at the size and length that validation chose."""
        return self.best_scores()

    @property
    def losses(self) -> Scores:
        """Test losses of all cells."""
        return Scores(self.rows, LOSS, self.level)

    @property
    def seeds(self) -> int:
        """The largest number of seeds of a cell."""
        return max(len(seeds) for seeds in self.scores.by_place.values())

    @property
    def ended(self) -> tuple[int, int, int]:
        """Planned, finished and failed cells."""
        done = len(finished(self.table))
        return max(self._planned, len(self.table)), done, len(self.table) - done

    @cached_property
    def _planned(self) -> int:
        plan = read_plan(self.folder, "folder")
        if plan is not None:
            return len(plan["cells"])
        axes = [len(self.specification.get(name) or [0]) for name in (*AXES, "seeds")]
        return math.prod(axes) * len(self.specification.get("arms") or [])


def read_findings(folder: str | os.PathLike[str], level: float = LEVEL, test_examples: int | None = None) -> Findings:
    """Read `table.parquet` and `comparison.yaml`.

    Raises:
        ValueError: when a file is missing or cannot be read, or no cell has ended.
    """
    path = Path(folder)
    table = read_table(path)
    if not (path / "comparison.yaml").is_file():
        raise ValueError(f"folder: {path} has no comparison.yaml; start a comparison there with learnsym compare")
    if not len(table):
        raise ValueError(f"folder: no cell of {path} has ended; draw it after the first one")
    specification = read_mapping(path / "comparison.yaml")
    return Findings(path, specification, table, level, test_examples)


def _degrees(text: object) -> list[dict[str, Any]]:
    return json.loads(text) if isinstance(text, str) and text else []


def degrees_of(rows: DataFrame) -> list[tuple[int, dict[str, Any]]]:
    """Number of examples and degree, for every degree of every row."""
    return [
        (int(n), degree) for n, text in zip(rows["train"], rows["degrees"], strict=True) for degree in _degrees(text)
    ]


def degrees_by_figure(findings: Findings) -> dict[tuple[str, str], list[tuple[int, dict[str, Any]]]]:
    """Number of examples and degree by learned arm and unit, each at the size and length that validation chose."""
    found: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    for arm in findings.learned:
        for n, degree in degrees_of(where(findings.best_rows, arm=arm)):
            if degree["estimate"] is not None:
                found.setdefault((arm, degree["unit"]), []).append((n, degree))
    return found
