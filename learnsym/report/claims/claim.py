"""One claim of an experiment with what was found, and how all of them are read."""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from learnsym._found import claim_files
from learnsym._settings import shown
from learnsym._yaml_file import read_yaml

VERDICTS = ("holds", "fails", "not decided")
SHARED = ("paper", "arxiv", "seeds", "level", "command", "minutes", "hardware")
"""What may stand once at the top of a file, for all claims that do not say otherwise."""
REMEDY = "mend the file; experiments/README.md shows the form"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of a paper, or of this project, and what an experiment found about it."""

    experiment: str
    """The folder, below that of all experiments."""
    claim: str
    """The statement, in one sentence."""
    verdict: str
    """`holds`, `fails` or `not decided`."""
    quantity: str
    """What the numbers measure, with the unit."""
    found: float | None
    """The number that was found; None for what no single number says."""
    paper: str
    """Authors and year; `own` for a statement of this project."""
    arxiv: str | None
    """Of the paper; None without."""
    command: str
    minutes: float | None
    """Of the hardware; None where the time was not taken."""
    hardware: str
    seeds: int | None
    """None where repetitions are no seeds."""
    claimed: float | None = None
    """The number that the paper has, or that was set as the target; None without."""
    interval: tuple[float, float] | None = None
    """Around `found`."""
    level: float | None = None
    """Of the interval."""

    @property
    def number(self) -> str:
        """What was found, with its interval."""
        if self.found is None:
            return ""
        return f"{self.found:g}" if self.interval is None else f"{self.found:g} [{_joined(self.interval)}]"

    @property
    def link(self) -> str | None:
        """The address of the paper."""
        return None if self.arxiv is None else f"https://arxiv.org/abs/{self.arxiv}"

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict: got {shown(self.verdict)}, must be one of {', '.join(VERDICTS)}")
        for name in ("claim", "quantity", "paper", "command", "hardware"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name}: got an empty text, must say what it is")
        if self.arxiv is not None and not re.fullmatch(r"\d{4}\.\d{4,5}", self.arxiv):
            raise ValueError(f"arxiv: got {shown(self.arxiv)}, must be a number such as 2303.13458, in quotes, or null")
        if self.interval is not None and (self.found is None or self.level is None):
            raise ValueError("interval: stands alone, must have a number that was found and a level")
        if self.interval is not None and not self.interval[0] <= self.interval[1]:
            raise ValueError(f"interval: got [{_joined(self.interval)}], must begin with the smaller end")
        if self.level is not None and not 0 < self.level < 1:
            raise ValueError(f"level: got {self.level:g}, must lie in (0, 1), such as 0.9")
        for name, least in (("minutes", 0), ("seeds", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name}: got {value:g}, must be >= {least}, or null")


def read_claims(folder: str | Path) -> list[Claim]:
    """The claims of all experiments of a folder, each of which has a file `claims.yaml`, in alphabetical order.

    A file holds a list `claims` of mappings with the fields of `Claim`, but for the experiment; those of `SHARED` may
    stand beside the list for all of them.

    Raises:
        ValueError: one sentence: for a folder without any, a file that is no such mapping, an unknown or missing key, a
            value of another kind.
    """
    return [claim for path in claim_files(Path(folder)) for claim in _of_file(path)]


def _of_file(path: Path) -> list[Claim]:
    content = read_yaml(path, "claims")
    try:
        if not isinstance(content, dict) or not isinstance(content.get("claims"), list) or not content["claims"]:
            raise ValueError("it must be a mapping with a list `claims` that is not empty")
        common = {key: value for key, value in content.items() if key != "claims"}
        unknown = sorted(set(common) - set(SHARED))
        if unknown:
            raise ValueError(f"{unknown[0]}: is not known, must be one of claims, {', '.join(SHARED)}")
        return [_claim(path.parent.name, number, common, row) for number, row in enumerate(content["claims"], 1)]
    except ValueError as error:
        raise ValueError(f"claims: {path} is not read ({error}); {REMEDY}") from error


def _claim(experiment: str, number: int, common: dict[str, Any], row: object) -> Claim:
    try:
        if not isinstance(row, dict):
            raise ValueError(f"got {shown(row)}, must be a mapping")
        own = {field.name: field for field in fields(Claim) if field.name != "experiment"}
        values = common | row
        unknown = sorted(set(values) - set(own))
        if unknown:
            raise ValueError(f"{unknown[0]}: is not known, must be one of {', '.join(own)}")
        missing = [name for name, field in own.items() if field.default is MISSING and name not in values]
        if missing:
            raise ValueError(f"{missing[0]}: is missing")
        kinds = get_type_hints(Claim)
        return Claim(
            experiment=experiment, **{name: _value(name, kinds[name], value) for name, value in values.items()}
        )
    except ValueError as error:
        raise ValueError(f"claim {number}: {error}") from error


def _value(name: str, kind: Any, value: object) -> Any:  # noqa: ANN401  of any field
    """The value of a field, of the kind that its annotation says."""
    if name == "interval" and value is not None:
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(f"interval: got {shown(value)}, must be two numbers, or null")
        return tuple(_value("an end of interval", float, end) for end in value)
    if isinstance(value, bool):
        raise ValueError(f"{name}: got {shown(value)}, must be {_named(kind)}")
    if (kind is float or kind == float | None) and isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"{name}: got {value}, must be finite")
        return float(value)
    if kind is not float and isinstance(value, kind):
        return " ".join(value.split()) if isinstance(value, str) else value
    raise ValueError(f"{name}: got {shown(value)}, must be {_named(kind)}")


def _named(kind: Any) -> str:  # noqa: ANN401  an annotation
    names = {str: "text", float: "a number", int: "a whole number", type(None): "null"}
    return " or ".join(names[part] for part in getattr(kind, "__args__", (kind,)))


def _joined(interval: tuple[float, float]) -> str:
    return ", ".join(f"{end:g}" for end in interval)
