"""Fixed inputs and absolute coordinates together: rotations and translations may both break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from learnsym.actions import PointCloud
from learnsym.methods._checks import at_least
from learnsym.methods._points import OfPoints
from learnsym.relax.points import AbsoluteCoordinates, FixedInputs
from learnsym.relax.points.extras import Make


@dataclass(frozen=True, kw_only=True)
class FixedAndAbsolute(OfPoints):
    """An exact network on clouds with learned vectors and with scalars that see coordinates as extra inputs."""

    name: Literal["fixed_and_absolute"] = "fixed_and_absolute"
    vectors: int = 1
    """Number of learned vectors; one leaves the rotations about it, two none."""

    title = "learned vectors and absolute coordinates beside exact networks of points"
    papers = (("after Ashman et al. 2024", "2406.13488"), ("Finzi et al. 2021", "2112.01388"))

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("vectors", self.vectors, 1)

    def relaxed(self, make: Make, inputs: PointCloud) -> nn.Module:
        return AbsoluteCoordinates(lambda types: FixedInputs(make, types, self.vectors), inputs)
