"""Degree: one inferred number with its interval; `symmetry.json` keeps them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from learnsym.files import read_json, write_json
from learnsym.statistics import LEVEL

VERSION = 1

Notion = Literal["task", "distribution"]

Status = Literal["ok", "rejected", "cannot be learned", "bound only"]
"""Whether the number can be trusted: its fit was rejected, the data do not determine it, or only a bound is known."""


@dataclass(frozen=True, kw_only=True)
class Degree:
    """One inferred number with its interval: how much of one generator or group holds at one site.

    `task` symmetry: the target moves with the input, `f(g·x) = g·f(x)`. `distribution` symmetry: `g·x` is as likely as
    `x`. A range is a half-width in `unit`; `low` and `high` are None when no interval was computed. A number that
    cannot be trusted carries its `status` and the `reason` wherever it goes: `str()`, `symmetry.json`, tables, pages.

    Raises:
        ValueError: for an unknown status, or a status other than `ok` without a reason.
    """

    site: str
    """`input`, `layer:<module path>` or `loss`."""
    group: str
    generator: str
    unit: str
    notion: Notion
    estimate: float
    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    method: str
    data: str = ""
    status: Status = "ok"
    reason: str = ""
    """One sentence without a full stop; empty when the status is `ok`."""

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise ValueError(f"status: got {self.status!r}, must be one of {', '.join(get_args(Status))}")
        if (self.status == "ok") == bool(self.reason):
            raise ValueError(
                f"reason: got {self.reason!r} with status {self.status!r}; give one exactly when it is not ok"
            )

    @property
    def doubt(self) -> str:
        """The status with its reason; empty when the number can be trusted."""
        return "" if self.status == "ok" else f"{self.status}: {self.reason}"

    def __str__(self) -> str:
        interval = "" if self.low is None else f" [{self.low:.3g}, {self.high:.3g}] at {self.level:.0%}"
        unit = "" if self.unit == "1" else f" {self.unit}"
        origin = f"({self.notion}, {self.method})"
        doubt = f"; {self.doubt}" if self.doubt else ""
        return f"{self.site}: {self.group} {self.generator} {self.estimate:.3g}{unit}{interval} {origin}{doubt}"


def write_degrees(path: str | os.PathLike[str], found: Iterable[Degree]) -> None:
    """Write `symmetry.json`, atomically; a number that is not finite becomes null."""
    rows = [{key: _plain(value) for key, value in asdict(degree).items()} for degree in found]
    write_json(Path(path), {"version": VERSION, "degrees": rows}, indent=2)


def read_degrees(path: str | os.PathLike[str]) -> list[Degree]:
    """Read `symmetry.json`.

    Raises:
        ValueError: when the file is not `symmetry.json` of a version that this library reads.
    """
    remedy = "write one with `learnsym analyze RUN`"
    content = read_json(Path(path), "path", remedy)
    if "degrees" not in content:
        raise ValueError(f"path: {path} is not a symmetry.json; {remedy}")
    if content.get("version") != VERSION:
        found = content.get("version")
        raise ValueError(f"path: {path} has version {found!r}, this library reads {VERSION}; analyze the run again")
    names = {field.name for field in fields(Degree)}
    return [Degree(**{key: value for key, value in row.items() if key in names}) for row in content["degrees"]]


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
