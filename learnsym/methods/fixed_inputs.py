"""Fixed inputs: learned vectors that every point carries, such as gravity, break rotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from learnsym._settings import In
from learnsym.actions import PointCloud
from learnsym.methods._points import OfPoints
from learnsym.relax.points import FixedInputs
from learnsym.relax.points.extras import Make


@dataclass(frozen=True, kw_only=True)
class WithFixedInputs(OfPoints):
    """An exact network on clouds with learned vectors as extra inputs, which break the rotations that move them."""

    name: Literal["fixed_inputs"] = "fixed_inputs"
    vectors: Annotated[int, In("[1, 1000]")] = 1
    """Number of learned vectors; one leaves the rotations about it, two none."""

    title = "learned vectors as extra inputs of exact networks of points"
    papers = (("after Ashman et al. 2024", "2406.13488"),)

    def relaxed(self, make: Make, inputs: PointCloud) -> nn.Module:
        return FixedInputs(make, inputs, self.vectors)
