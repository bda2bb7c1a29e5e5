"""Layers of ELLA: in each layer a free map between grids beside a convolution, dense, factored or sparsified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from learnsym._settings import NotNegative, check_settings
from learnsym.data import Signature
from learnsym.distributions import GroupDistribution
from learnsym.methods._images import refuse_clouds, regularised, shifts
from learnsym.methods._method import Method, Setup
from learnsym.nets import LayerwiseNet
from learnsym.nets.layerwise import SMALLEST
from learnsym.objectives import Objective
from learnsym.objectives.choosers import Chooser
from learnsym.objectives.terms import Prior
from learnsym.symmetry import Symmetry, symmetry_by_name

TWINS = {
    "dense": {"learned": "fc+conv", "plain": "fc", "exact": "conv"},
    "factored": {"learned": "f-fc+conv", "plain": "f-fc", "exact": "conv"},
    "sparsified": {"learned": "s-fc+s-conv", "plain": "s-fc", "exact": "s-conv"},
}


@dataclass(frozen=True, kw_only=True)
class Layerwise(Method):
    """Eight layers, each of which may be a convolution, a free map between grids, or their mean, as a prior says.

    With the chooser training the prior variances of both paths are fixed; with marginal_likelihood the evidence learns
    a precision of each tensor of each path (ELLA), and degrees say which path the examples determine. `plain` has the
    free maps alone, `exact` the convolutions, which keep all translations. Images are resized to the next multiple of
    32 pixels.
    """

    name: Literal["layerwise"] = "layerwise"
    maps: Literal["dense", "factored", "sparsified"] = "sparsified"
    """Kind of the free maps: all weights, one pattern for each pair of channels, or patterns between anchors."""
    weight: NotNegative = 1.0
    """Weight of the prior; 1 is Bayes' rule. The chooser marginal_likelihood has a prior of its own."""

    title = "dense, factored and sparsified maps beside convolutions (layers of ELLA)"
    place = "weights"
    papers = (("van der Ouderaa et al. 2023", "2310.06131"), ("Finzi et al. 2021", "2112.01388"))
    nets = ("layerwise",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "marginal_likelihood")

    def __post_init__(self) -> None:
        check_settings(self, "method.")

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        return ("weight",) if chooser.name == "marginal_likelihood" else ()

    def model(self, setup: Setup) -> nn.Module:
        refuse_clouds(self.name, setup)
        channels, *sides = setup.data.in_shape
        size = -(-max(sides) // SMALLEST) * SMALLEST
        net = LayerwiseNet(TWINS[self.maps][setup.twin], channels, setup.data.classes, setup.net.width, size)
        return nn.Sequential(nn.Upsample((size, size), mode="bilinear"), net)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Prior(setup.examples, self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return symmetry_by_name("translation2d")

    def law(self, data: Signature) -> GroupDistribution | None:
        return shifts()
