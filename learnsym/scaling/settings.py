"""Settings of a study of scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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
    level: float = LEVEL
    """Of intervals."""
    replicates: int = 200
    """Resamples of cells."""
    seed: int = 0
    """Of the resampling."""

    @property
    def resampling(self) -> dict[str, Any]:
        """How cells are resampled, as the functions of intervals take it."""
        return {"level": self.level, "replicates": self.replicates, "seed": self.seed}

    def __post_init__(self) -> None:
        for name, known in (("loss", ("test", "val")), ("flops", ("counted", "nominal"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: got {getattr(self, name)!r}, must be {' or '.join(known)}; choose one")
        if self.irreducible not in ("auto", "yes", "no"):
            raise ValueError(f"irreducible: got {self.irreducible!r}, must be auto, yes or no; auto is usual")
        if not 0 < self.level < 1:
            raise ValueError(f"level: got {self.level}, must lie between 0 and 1; 0.9 is usual")
        if self.replicates < 20:
            raise ValueError(f"replicates: got {self.replicates}, must be at least 20; 200 is usual")
