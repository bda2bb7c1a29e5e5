"""Degree: one inferred number with its interval; `symmetry.json` keeps them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from learnsym.files import Kind, checked, read_json, understood, write_json
from learnsym.statistics import LEVEL

VERSION = 1

Notion = Literal["task", "distribution"]

Status = Literal["ok", "no interval", "rejected", "cannot be learned", "bound only", "not converged"]
"""Whether the number can be trusted: its fit was rejected, the data do not determine it, only a bound is known, or its
training has not come to rest. With `no interval` it can, as the number of one training, and the reason says why there
is no interval around it."""

ONE_TRAINING = "one training gives one number, see learnsym.posterior"
GIVEN = "it was given, not learned"


TRUSTED: tuple[Status, ...] = ("ok", "no interval")
"""Where a number is right as far as it goes."""


@dataclass(frozen=True, kw_only=True)
class Degree:
    """One inferred number with its interval: how much of one generator or group holds at one site.

    `task` symmetry: the target moves with the input, `f(g·x) = g·f(x)`. `distribution` symmetry: `g·x` is as likely as
    `x`. A range is a half-width in `unit`; `low` and `high` are None when there is no interval. A number that
    cannot be trusted, or has no interval, carries its `status` and the `reason` wherever it goes: `str()`,
    `symmetry.json`; tables and pages say why a number cannot be trusted.

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
    def most(self) -> float:
        """The largest number that it can be: half a turn for angles; infinite where no bound is known."""
        return 180.0 if self.unit == "degree" else math.inf

    @property
    def doubt(self) -> str:
        """The status with its reason; empty when the number can be trusted."""
        return "" if self.status in TRUSTED else f"{self.status}: {self.reason}"

    @property
    def caveat(self) -> str:
        """The status in brackets, to stand behind the number; empty when it can be trusted."""
        return "" if self.status in TRUSTED else f" ({self.status})"

    def __str__(self) -> str:
        interval = "" if self.low is None else f" [{self.low:.3g}, {self.high:.3g}] at {self.level:.0%}"
        unit = "" if self.unit == "1" else f" {self.unit}"
        origin = f"({self.notion}, {self.method})"
        doubt = f"; {self.status}: {self.reason}" if self.reason else ""
        return f"{self.site}: {self.group} {self.generator} {self.estimate:.3g}{unit}{interval} {origin}{doubt}"


def write_degrees(path: str | os.PathLike[str], found: Iterable[Degree], notes: Iterable[str] = ()) -> None:
    """Write `symmetry.json`, atomically; a number that is not finite becomes null.

    Args:
        path: of the file.
        found: the degrees.
        notes: on all of them, such as that training is unfinished; kept under `notes` where there are any.
    """
    rows = [{key: _plain(value) for key, value in asdict(degree).items()} for degree in found]
    said = {"notes": sentences} if (sentences := list(notes)) else {}
    write_json(Path(path), {"version": VERSION, **said, "degrees": rows}, indent=2)


def read_degrees(path: str | os.PathLike[str]) -> list[Degree]:
    """Read `symmetry.json`.

    Raises:
        ValueError: when the file is not `symmetry.json` of a version that this library reads.
    """
    remedy = "write one with `learnsym analyze RUN`"
    content = read_json(Path(path), "path", remedy, {"degrees": list, "version": int})
    if content["version"] != VERSION:
        found = content["version"]
        raise ValueError(f"path: {path} has version {found!r}, this library reads {VERSION}; analyze the run again")
    with understood(Path(path), "path", remedy):
        return [_degree(checked(row, FIELDS)) for row in content["degrees"]]


FIELDS: dict[str, Kind] = {
    **dict.fromkeys(("site", "group", "generator", "unit", "notion", "method"), str),
    **dict.fromkeys(("estimate", "low", "high"), (int, float, type(None))),
}
"""Keys of a degree in `symmetry.json` that it must have, and the kind of their values."""


def _degree(row: dict[str, Any]) -> Degree:
    names = {field.name for field in fields(Degree)}
    values: dict[str, Any] = {k: float(v) if type(v) is int else v for k, v in row.items() if k in names}
    estimate = math.nan if row["estimate"] is None else values["estimate"]
    return Degree(**{**values, "estimate": estimate})


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
