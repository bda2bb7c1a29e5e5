"""What an analysis found, as plain values: no tensors and no models, so that pages and tables need neither."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from learnsym.degrees import Degree
from learnsym.report.words import Verdict
from learnsym.statistics import LEVEL, Interval


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A quantity along `x`, with a pointwise band."""

    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True, kw_only=True)
class EquivarianceError:
    """Relative equivariance error of one twin, and how much of it interpolation alone makes."""

    mean: float
    stderr: float
    floor: float


@dataclass(frozen=True, kw_only=True)
class History:
    """What one training logged: one list per quantity, aligned with the steps at which it was logged."""

    seed: int
    steps: dict[str, list[int]]
    values: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class TwinResult:
    """One twin on one data set, with its seeds as replicates."""

    name: str
    seeds: list[int]
    accuracy: Interval
    """Share of right answers; for a regression, as `score` says, the mean squared error."""
    score: str = "accuracy"
    also: dict[str, Interval] = field(default_factory=dict)
    """Further mean errors, by name with their unit: those of energies and forces."""
    by_angle: Curve | None = None
    error: EquivarianceError | None = None
    histories: list[History] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class PoseLaw:
    """The law of poses along one generator: a histogram free of assumptions, and the fitted law."""

    generator: str
    unit: str
    cap: float
    grid: list[float]
    density: list[float]
    fitted: list[float]
    half_width: Interval
    kind: str = "range"
    """`range`: one range about upright; `full`: any pose; `periodic`: one range about each of `facts["order"]` turns;
    `several`: not one range; `unreadable`: the poses cannot be told."""
    flags: list[str] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExtentCurve:
    """Held-out loss of the fixed twin over widths: the excess over the best one, and the widths within noise of it."""

    generator: str
    unit: str
    cap: float
    widths: list[float]
    excess: list[float]
    stderr: list[float]
    tolerated: list[float]
    best: float
    replicates: int
    """Trainings at each width."""
    harmless: Interval
    """Up to which width augmentation does no harm."""
    margin: float
    """Excess that counts as none."""


@dataclass(frozen=True, kw_only=True)
class Orbit:
    """Example images and the same images moved by elements of a learned distribution; grey or RGB values in [0, 1]."""

    originals: list
    moved: list
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class DataResult:
    """Everything found about one data set."""

    label: str
    examples: int
    twins: list[TwinResult]
    degrees: list[Degree] = field(default_factory=list)
    caps: dict[str, float] = field(default_factory=dict)
    poses: list[PoseLaw] = field(default_factory=list)
    extent: ExtentCurve | None = None
    orbit: Orbit | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    """What to take away, beside what the laws of poses and the tolerated widths say."""
    notes: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """One sentence for each run that was not trained to its end."""

    def twin(self, name: str) -> TwinResult | None:
        """The twin of that name, None when it was not trained."""
        return next((twin for twin in self.twins if twin.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The result of `analyze`: one entry per data set, and what is needed to repeat it."""

    path: Path
    data: list[DataResult]
    level: float = LEVEL
    config: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def degrees(self) -> list[Degree]:
        """Degrees of all data sets, told apart by their field `data`."""
        return [degree for result in self.data for degree in result.degrees]

    @property
    def unfinished(self) -> list[str]:
        """One sentence for each run that was not trained to its end."""
        return [sentence for result in self.data for sentence in result.unfinished]

    @property
    def report(self) -> Path:
        """Where the page lies."""
        return self.path / "report.html"
