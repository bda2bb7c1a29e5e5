"""Settings of a study of scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from learnsym._settings import In, Seed, Share, check_settings
from learnsym.statistics import LEVEL


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """How runs are turned into laws."""

    loss: Literal["test", "val"] = "test"
    """Which loss the law is of."""
    flops: Literal["counted", "nominal"] = "counted"
    """Which FLOPs figures and sentences use; all numbers are found for both."""
    irreducible: Literal["auto", "yes", "no"] = "auto"
    """Whether figures and sentences use the law with `E`: auto when its interval stays clear of 0."""
    level: Share = LEVEL
    """Of intervals."""
    replicates: Annotated[int, In("[20, 1000000]")] = 200
    """Resamples of cells."""
    seed: Seed = 0
    """Of the resampling."""

    @property
    def resampling(self) -> dict[str, Any]:
        """How cells are resampled, as the functions of intervals take it."""
        return {"level": self.level, "replicates": self.replicates, "seed": self.seed}

    def __post_init__(self) -> None:
        check_settings(self)
