"""Residual pathway priors: an equivariant kernel plus a free one that a prior keeps small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from torch import nn

from learnsym._settings import In, NotNegative, Positive, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FreeConv, SteerableConv
from learnsym.methods._checks import group_named
from learnsym.methods._images import regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance, steerable_net
from learnsym.objectives import Objective
from learnsym.objectives.choosers import Chooser
from learnsym.objectives.terms import Prior
from learnsym.relax import ResidualPathway, VariationalPathway
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Residual(Method):
    """A steerable network whose convolutions have a free kernel beside the equivariant one.

    With the chooser training the variances of both are fixed; with elbo they have posteriors that learn them.
    """

    name: Literal["residual"] = "residual"
    group: str = "C_4"
    """Group of the learned and the exact twin: C_N, D_N, SO(2) or O(2)."""
    band_limit: Annotated[int, In("[1, 16]")] = 2
    """Highest frequency of the fields of SO(2) and O(2)."""
    free_variance: Positive = 0.01
    """Prior variance of the free kernel, in that of usual initial weights; the chooser elbo learns it instead."""
    weight: NotNegative = 1.0
    """Weight of the prior; 1 is Bayes' rule."""

    title = "residual pathways, fixed and variational"
    place = "weights"
    papers = (("Finzi et al. 2021", "2112.01388"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "elbo")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        group_named("group", self.group)

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        return ("free_variance",) if chooser.name == "elbo" else ()

    def model(self, setup: Setup) -> nn.Module:
        layers = {"training": self._fixed, "elbo": self._variational}
        twins = {"learned": layers.get(setup.chooser.name), "exact": SteerableConv, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins, self.band_limit)

    def _fixed(self, *types: Any, **options: Any) -> nn.Module:  # noqa: ANN401  as of SteerableConv
        return ResidualPathway(SteerableConv(*types, **options), free_variance=self.free_variance)

    def _variational(self, *types: Any, **options: Any) -> nn.Module:  # noqa: ANN401  as of SteerableConv
        return VariationalPathway(SteerableConv(*types, **options))

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Prior(setup.examples, self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
