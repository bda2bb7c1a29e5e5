"""Settings of the measurements that `learnsym analyze` makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from learnsym._memory import MEMORY
from learnsym._settings import (
    Copies,
    Count,
    Distinct,
    In,
    NotNegative,
    Positive,
    Processes,
    Seed,
    Share,
    check_settings,
)
from learnsym.statistics import LEVEL


@dataclass(frozen=True, kw_only=True)
class PoseConfig:
    """Distribution symmetry from the posterior over poses."""

    generators: Annotated[list[str], Distinct()] = field(default_factory=lambda: ["rotation"])
    """Names of the generators whose law of poses is inferred; empty for none."""
    steps: Count = 400
    """Training steps of the pose network, per fold."""
    folds: Annotated[int, In("[2, 100]")] = 2
    """Cross-fitting folds."""
    examples: Annotated[int, In("[20, 1000000000]")] | None = None
    """Number of examples to use; None for all of train and validation."""
    size: Annotated[int, In("[8, 4096]")] | None = None
    """Shorter side of the images in which poses are read; None for `data.size`."""

    def __post_init__(self) -> None:
        check_settings(self, "analysis.pose.")


@dataclass(frozen=True, kw_only=True)
class TaskExtentConfig:
    """Task symmetry from held-out loss: the fixed twin is trained again at each width of a grid."""

    generator: str = "rotation"
    """The generator whose half-width is varied."""
    widths: Annotated[list[NotNegative], Distinct()] = field(
        default_factory=lambda: [0.0, 15.0, 30.0, 60.0, 90.0, 135.0, 180.0]
    )
    """Half-widths to try, in the unit of the generator; empty for no such measurement."""
    steps: Count | None = None
    """Training steps at each width; None for `train.steps`."""
    replicates: Annotated[int, In("[1, 1000]")] = 1
    """Trainings at each width, with seeds of their own; with two or more their spread counts as noise."""

    def __post_init__(self) -> None:
        check_settings(self, "analysis.task_extent.")


@dataclass(frozen=True, kw_only=True)
class AnalysisConfig:
    """What `learnsym analyze` computes and with how much effort."""

    pose: PoseConfig = PoseConfig()
    """Law of poses (distribution symmetry)."""
    task_extent: TaskExtentConfig = TaskExtentConfig()
    """Tolerated widths (task symmetry)."""
    angle_step: Annotated[int, In("[0, 360]")] = 15
    """Step in degrees of the curve of accuracy by rotation angle; 0 for no curve."""
    angle_examples: Count | None = None
    """Test examples in that curve; None for all."""
    equivariance_samples: Copies = 8
    """Group elements per example in the equivariance error."""
    equivariance_examples: Count = 256
    """Test examples in the equivariance error."""
    bootstrap: Annotated[int, In("[1, 1000000]")] = 1000
    """Bootstrap replicates of an interval."""
    level: Share = LEVEL
    """Coverage that intervals aim at."""
    workers: Processes = 2
    """Processes for independent pieces, each with one thread."""
    memory: Positive = MEMORY
    """Limit in GiB for what all processes compute at a time beside the examples; does not change the results."""
    seed: Seed = 0
    """Seed of every random choice of the analysis."""

    def __post_init__(self) -> None:
        check_settings(self, "analysis.")
        if self.angle_step and 360 % self.angle_step:
            raise ValueError(f"analysis.angle_step: got {self.angle_step}, must divide 360; 15 gives 24 angles")
