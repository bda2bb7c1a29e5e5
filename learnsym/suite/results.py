"""What the suite found, as plain values."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from learnsym.files import read_json, understood
from learnsym.suite.config import SuiteConfig
from learnsym.suite.scores import Entry, Score, scores_of


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What the suite found, as plain values.

    Args:
        config: what was asked.
        path: the folder.
        entries: each cell with its result, or the reason why it has none.
    """

    config: SuiteConfig
    path: Path
    entries: list[Entry]

    @property
    def scores(self) -> list[Score]:
        """The table: a row for each estimator and half of the tasks."""
        return scores_of(self.entries, self.config.level)

    @property
    def page(self) -> Path:
        """The page."""
        return self.path / "report.html"

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Suite:
        """The suite of a folder, as it was last written.

        Raises:
            ValueError: when the folder holds none.
        """
        file, remedy = Path(path) / "suite.json", "make one with learnsym suite --out"
        content = read_json(file, "path", remedy, {"suite": int, "config": dict, "entries": list})
        with understood(file, "path", remedy):
            return cls(config=SuiteConfig(**content["config"]), path=Path(path), entries=content["entries"])
