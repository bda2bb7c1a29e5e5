"""Fixed inputs and absolute coordinates together: rotations and translations may both break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from learnsym._settings import In
from learnsym.actions import PointCloud
from learnsym.methods._points import OfPoints
from learnsym.relax.points import AbsoluteCoordinates, FixedInputs
from learnsym.relax.points.extras import Make


@dataclass(frozen=True, kw_only=True)
class FixedAndAbsolute(OfPoints):
    """An exact network on clouds with learned vectors and with scalars that see coordinates as extra inputs."""

    name: Literal["fixed_and_absolute"] = "fixed_and_absolute"
    vectors: Annotated[int, In("[1, 1000]")] = 1
    """Number of learned vectors; one leaves the rotations about it, two none."""

    title = "learned vectors and absolute coordinates beside exact networks of points"
    papers = (("after Ashman et al. 2024", "2406.13488"), ("Finzi et al. 2021", "2112.01388"))

    def relaxed(self, make: Make, inputs: PointCloud) -> nn.Module:
        return AbsoluteCoordinates(lambda types: FixedInputs(make, types, self.vectors), inputs)
