"""Projection penalty: an ordinary network whose weights are held near the equivariant ones, without group samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from torch import nn

from learnsym._settings import In, NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FreeConv, SteerableConv
from learnsym.methods._checks import group_named
from learnsym.methods._images import regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance, steerable_net
from learnsym.objectives import Objective
from learnsym.objectives.terms import ProjectionPenalty
from learnsym.relax import ProjectedLayer
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Projection(Method):
    """A network with the nonlinearities of a steerable one and ordinary convolutions under a penalty on their weights.

    The sampled penalties of `remul` move examples through the network; this one costs a projection of each kernel.
    """

    name: Literal["projection"] = "projection"
    group: str = "C_4"
    """Group of the learned and the exact twin: C_N, D_N, SO(2) or O(2)."""
    band_limit: Annotated[int, In("[1, 16]")] = 2
    """Highest frequency of the fields of SO(2) and O(2)."""
    broken: NotNegative = 0.1
    """Weight of the squared norms of what leaves the equivariant kernels; large for a strong belief in the symmetry."""
    kept: NotNegative = 0.0
    """Weight of the squared norms of the equivariant kernels."""

    title = "exact penalty on what leaves the equivariant kernels"
    place = "weights"
    papers = (("Berndt and Stühmer 2026", "2601.05028"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training",)

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        group_named("group", self.group)

    def model(self, setup: Setup) -> nn.Module:
        def held(*types: Any, **options: Any) -> nn.Module:  # noqa: ANN401  as of SteerableConv
            return ProjectedLayer(SteerableConv(*types, **options))

        twins = {"learned": held, "exact": SteerableConv, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins, self.band_limit)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, ProjectionPenalty(self.broken, self.kept))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
