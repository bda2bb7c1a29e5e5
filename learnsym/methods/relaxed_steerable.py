"""Relaxed steerable convolution: coefficients that vary over the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from torch import nn

from learnsym._settings import In, NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FreeConv, SteerableConv
from learnsym.methods._checks import group_named
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
    band_limit: Annotated[int, In("[1, 16]")] = 2
    """Highest frequency of the fields of SO(2) and O(2)."""
    banks: Annotated[int, In("[1, 64]")] = 2
    """Exact convolutions that each layer mixes."""
    weight: NotNegative = 1.0
    """Weight of the differences between pixels, per training example."""

    title = "relaxed steerable convolution"
    place = "weights"
    papers = (("Wang et al. 2022", "2201.11969"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        group_named("group", self.group)

    def model(self, setup: Setup) -> nn.Module:
        learned = partial(RelaxedSteerableConv, banks=self.banks)
        twins = {"learned": learned, "exact": SteerableConv, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins, self.band_limit)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Prior(setup.examples, self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
