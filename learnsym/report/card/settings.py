"""Settings of a symmetry card."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from learnsym.measure.lie.flow import Derivative, check_derivative

RANGES = {
    "examples": (2, 10**7),
    "layer_examples": (2, 10**5),
    "samples": (2, 10**4),  # the mean over a group is then known to a per cent
    "seed": (0, 2**32 - 1),
}


@dataclass(frozen=True, kw_only=True)
class CardSettings:
    """How much is measured, and within which limits."""

    examples: int = 200
    """Examples for measures of the output."""
    layer_examples: int = 16
    """Examples for measures of layers."""
    samples: int = 8
    """Group elements per example."""
    derivative: Derivative = "spectral"
    """On images, see `measure.local_equivariance_error`."""
    layers: bool = True
    """Whether layers are measured."""
    memory: float = 4.0
    """GiB for activations: batches are as large as that allows."""
    seed: int = 0
    tolerance: float = 0.1
    """Which part of the predictions may change where a model still counts as symmetric; without classes, by how much of
    the distance between outputs of unrelated examples outputs may change."""
    ranges: Mapping[str, float] = field(default_factory=dict)
    """Half-widths of generators by name, in their units, within which elements are tried; the usual ones otherwise."""

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name}: got {getattr(self, name)}, must lie in [{low}, {high}]; leave it out for the usual"
                )
        if not 0 < self.memory < math.inf:
            raise ValueError(f"memory: got {self.memory}, must be > 0 and finite, in GiB; 4 is usual")
        if not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance: got {self.tolerance}, must lie between 0 and 1; 0.1 is usual")
        check_derivative(self.derivative)
