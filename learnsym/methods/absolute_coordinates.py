"""Absolute coordinates: scalars that see where points are break translations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from learnsym.actions import PointCloud
from learnsym.methods._points import OfPoints
from learnsym.relax.points import AbsoluteCoordinates
from learnsym.relax.points.extras import Make


@dataclass(frozen=True, kw_only=True)
class WithAbsoluteCoordinates(OfPoints):
    """An exact network on clouds with scalars that see coordinates as extra inputs, as far as a prior lets them."""

    name: Literal["absolute_coordinates"] = "absolute_coordinates"

    title = "absolute coordinates beside exact networks of points"
    papers = (("after Ashman et al. 2024", "2406.13488"), ("Finzi et al. 2021", "2112.01388"))

    def relaxed(self, make: Make, inputs: PointCloud) -> nn.Module:
        return AbsoluteCoordinates(make, inputs)
