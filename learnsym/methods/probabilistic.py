"""Probabilistic steerable convolution: a likelihood over the group for each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from torch import nn

from learnsym._settings import In, NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FieldType, FreeConv, SteerableConv
from learnsym.methods._checks import group_named
from learnsym.methods._images import regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance, steerable_net
from learnsym.objectives import Objective
from learnsym.objectives.choosers import Chooser
from learnsym.objectives.terms import Alignment, DivergenceAlongDepth, PosteriorDivergence, Prior
from learnsym.relax import Likelihood, ProbabilisticSteerableConv, bayesian_likelihood, peaked
from learnsym.symmetry import Symmetry

DIVERGENCES = 0.05
"""Weight of the divergences of likelihoods beside a loss in nats: what is kept of a symmetry that nothing tests."""


@dataclass(frozen=True, kw_only=True)
class Probabilistic(Method):
    """A steerable network each of whose layers keeps as much of the group as its likelihood says."""

    name: Literal["probabilistic"] = "probabilistic"
    group: str = "C_4"
    """Group of the learned and the exact twin: C_N, D_N, SO(2) or O(2)."""
    band_limit: Annotated[int, In("[1, 16]")] = 2
    """Highest frequency of the fields of SO(2) and O(2)."""
    start: NotNegative = 4.0
    """Height of the bump at the identity with which likelihoods start, in nats; 0 for a uniform start, which is exact
    and slow to leave. Not with the chooser elbo, whose posteriors start at their prior."""
    weight: NotNegative = 1.0
    """Weight of the divergences and of the prior of the free kernels."""

    title = "probabilistic steerable convolution, with a posterior over the likelihood"
    place = "weights"
    papers = (("Veefkind and Cesa 2024", "2406.03946"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation", "elbo")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        group_named("group", self.group)

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        return ("start",) if chooser.name == "elbo" else ()

    def model(self, setup: Setup) -> nn.Module:
        twins = {"learned": self._layer(setup.chooser.name), "exact": SteerableConv, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins, self.band_limit)

    def _layer(self, chooser: str) -> Any:  # noqa: ANN401  builds a convolution
        def make(in_type: FieldType, out_type: FieldType, kernel_size: int, **options: Any) -> nn.Module:  # noqa: ANN401
            group = in_type.group
            likelihood = bayesian_likelihood(group) if chooser == "elbo" else peaked(Likelihood(group), self.start)
            return ProbabilisticSteerableConv(in_type, out_type, kernel_size, likelihood=likelihood, **options)

        return make

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        prior, pull = Prior(setup.examples, self.weight), self.weight * DIVERGENCES
        if setup.chooser.name == "elbo":
            return regularised(setup, PosteriorDivergence(setup.examples), prior)
        return regularised(setup, Alignment(), DivergenceAlongDepth(pull, pull), prior)

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
