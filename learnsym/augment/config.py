"""Settings of the learned augmentation and its twins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from learnsym.augment.averages import averages

Twin = Literal["learned", "plain", "fixed", "exact"]


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Over which transformations of its input the network is averaged."""

    symmetry: str = "affine2d"
    """Name of the symmetry of the learned and the fixed twin; for clouds of points so3, o3, so2_x, so2_y, so2_z,
    octahedral or signed_permutations, which the fixed twin moves examples and targets by."""
    output: Literal["invariant", "equivariant"] = "invariant"
    """Whether outputs stay (classes, numbers) or move with the inputs (label maps)."""
    twin: Twin = "learned"
    """Learned distribution; plain network; fixed distribution; exact average over an orbit. Of clouds: learned in the
    weights (`relax`) or the loss (`penalty`); plain network; that network trained on uniformly moved examples; exact
    network."""
    init: float = 0.3
    """Learned: half-widths at the start as a fraction of the caps; probabilities of all elements but the identity."""
    fixed: dict[str, float] = field(default_factory=dict)
    """Fixed, images: half-width per generator in its reporting unit, such as `rotation: 30`; absent generators are
    0."""
    exact: str = "rotation2d"
    """Exact: name of the symmetry of a compact group."""
    orbit: int = 8
    """Exact: number of elements of the orbit average, in training and in evaluation."""
    copies: int = 1
    """Learned and fixed: transformed copies of each example in training."""
    test_copies: int = 8
    """Learned and fixed: transformed copies in evaluation, the same number for both."""
    average: Literal["log_probabilities", "probabilities", "outputs"] = "log_probabilities"
    """How outputs for several copies become one; `outputs` for regression."""

    def __post_init__(self) -> None:
        for name in ("orbit", "copies", "test_copies"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be >= 1; choose a positive number")
        if not 0 < self.init < 1:
            raise ValueError(f"init: got {self.init}, must be in (0, 1); use the twin plain for no augmentation")
        _one_of("twin", self.twin, get_args(Twin))
        _one_of("output", self.output, ("invariant", "equivariant"))
        _one_of("average", self.average, averages)
        negative = {name: value for name, value in self.fixed.items() if not value >= 0}
        if negative:
            raise ValueError(f"fixed: got {negative}, half-widths must be >= 0; leave a generator out to hold it at 0")


def _one_of(name: str, value: str, known: Iterable[str]) -> None:
    names = list(known)
    if value not in names:
        raise ValueError(f"{name}: got {value!r}, must be one of {', '.join(names)}")
