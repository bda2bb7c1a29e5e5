"""Settings of the measurements that `learnsym analyze` makes."""

from __future__ import annotations

from dataclasses import dataclass, field

from learnsym.statistics import LEVEL


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{name}: got {value}, must be >= {least}; leave it out for the default")


@dataclass(frozen=True, kw_only=True)
class PoseConfig:
    """Distribution symmetry from the posterior over poses."""

    generators: list[str] = field(default_factory=lambda: ["rotation"])
    """Names of the generators whose law of poses is inferred; empty for none."""
    steps: int = 400
    """Training steps of the pose network, per fold."""
    folds: int = 2
    """Cross-fitting folds."""
    examples: int | None = None
    """Number of examples to use; None for all of train and validation."""
    size: int | None = None
    """Shorter side of the images in which poses are read; None for `data.size`."""

    def __post_init__(self) -> None:
        _at_least("analysis.pose.steps", self.steps, 1)
        _at_least("analysis.pose.folds", self.folds, 2)
        if self.examples is not None:
            _at_least("analysis.pose.examples", self.examples, 20)
        if self.size is not None:
            _at_least("analysis.pose.size", self.size, 8)


@dataclass(frozen=True, kw_only=True)
class TaskExtentConfig:
    """Task symmetry from held-out loss: the fixed twin is trained again at each width of a grid."""

    generator: str = "rotation"
    """The generator whose half-width is varied."""
    widths: list[float] = field(default_factory=lambda: [0.0, 15.0, 30.0, 60.0, 90.0, 135.0, 180.0])
    """Half-widths to try, in the unit of the generator; empty for no such measurement."""
    steps: int | None = None
    """Training steps at each width; None for `train.steps`."""
    replicates: int = 1
    """Trainings at each width, with seeds of their own; with two or more their spread counts as noise."""

    def __post_init__(self) -> None:
        if any(width < 0 for width in self.widths):
            raise ValueError(f"analysis.task_extent.widths: got {self.widths}, must be >= 0; they are half-widths")
        if self.steps is not None:
            _at_least("analysis.task_extent.steps", self.steps, 1)
        _at_least("analysis.task_extent.replicates", self.replicates, 1)


@dataclass(frozen=True, kw_only=True)
class AnalysisConfig:
    """What `learnsym analyze` computes and with how much effort."""

    pose: PoseConfig = PoseConfig()
    """Law of poses (distribution symmetry)."""
    task_extent: TaskExtentConfig = TaskExtentConfig()
    """Tolerated widths (task symmetry)."""
    angle_step: int = 15
    """Step in degrees of the curve of accuracy by rotation angle; 0 for no curve."""
    angle_examples: int | None = None
    """Test examples in that curve; None for all."""
    equivariance_samples: int = 8
    """Group elements per example in the equivariance error."""
    equivariance_examples: int = 256
    """Test examples in the equivariance error."""
    bootstrap: int = 1000
    """Bootstrap replicates of an interval."""
    level: float = LEVEL
    """Coverage that intervals aim at."""
    workers: int = 2
    """Processes for independent pieces, each with one thread."""
    seed: int = 0
    """Seed of every random choice of the analysis."""

    def __post_init__(self) -> None:
        if self.angle_step and 360 % self.angle_step:
            raise ValueError(f"analysis.angle_step: got {self.angle_step}, must divide 360; 15 gives 24 angles")
        if self.angle_examples is not None:
            _at_least("analysis.angle_examples", self.angle_examples, 1)
        if not 0 < self.level < 1:
            raise ValueError(f"analysis.level: got {self.level}, must lie between 0 and 1; 0.9 is usual")
        for name in ("equivariance_samples", "equivariance_examples", "bootstrap", "workers"):
            _at_least(f"analysis.{name}", getattr(self, name), 1)
