"""Relaxed steerable convolution: coefficients that vary over the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from learnsym.data import Signature
from learnsym.equivariant import FreeConv, SteerableConv
from learnsym.groups import plane_group
from learnsym.methods._checks import at_least
from learnsym.methods._images import regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance, steerable_net
from learnsym.objectives import Objective
from learnsym.objectives.terms import Prior
from learnsym.relax import RelaxedSteerableConv
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class RelaxedSteerable(Method):
    """A steerable network whose coefficients may differ from pixel to pixel of a kernel."""

    name: Literal["relaxed_steerable"] = "relaxed_steerable"
    group: str = "C_4"
    """Group of the learned and the exact twin: C_N, D_N, SO(2) or O(2)."""
    band_limit: int = 2
    """Highest frequency of the fields of SO(2) and O(2)."""
    banks: int = 2
    """Exact convolutions that each layer mixes."""
    weight: float = 1.0
    """Weight of the differences between pixels, per training example."""

    title = "relaxed steerable convolution"
    place = "weights"
    papers = (("Wang et al. 2022", "2201.11969"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")

    def __post_init__(self) -> None:
        plane_group(self.group)
        at_least("band_limit", self.band_limit, 1)
        at_least("banks", self.banks, 1)
        at_least("weight", self.weight, 0)

    def model(self, setup: Setup) -> nn.Module:
        learned = partial(RelaxedSteerableConv, banks=self.banks)
        twins = {"learned": learned, "exact": SteerableConv, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins, self.band_limit)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Prior(setup.examples, self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
