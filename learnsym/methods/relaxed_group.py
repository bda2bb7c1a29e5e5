"""Relaxed group convolution: filters of an exact one, weighted differently for each element of the group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from torch import nn

from learnsym._settings import In, NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FieldType, FreeConv, GroupConv2d
from learnsym.methods._images import regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance, steerable_net
from learnsym.objectives import Objective
from learnsym.objectives.terms import Prior
from learnsym.relax import RelaxedGroupConv2d
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class RelaxedGroup(Method):
    """A network of group convolutions on the pixel lattice that weigh the elements of the group."""

    name: Literal["relaxed_group"] = "relaxed_group"
    group: Literal["C_2", "C_4", "D_1", "D_2", "D_4"] = "C_4"
    """Group of the learned and the exact twin, whose elements map pixels to pixels."""
    banks: Annotated[int, In("[1, 64]")] = 2
    """Exact filters that each layer mixes."""
    weight: NotNegative = 1.0
    """Weight of the differences between elements, per training example."""

    title = "relaxed group convolution"
    place = "weights"
    papers = (("Wang et al. 2022", "2201.11969"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")

    def __post_init__(self) -> None:
        check_settings(self, "method.")

    def model(self, setup: Setup) -> nn.Module:
        twins = {"learned": self._relaxed, "exact": GroupConv2d, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins)

    def _relaxed(self, in_type: FieldType, out_type: FieldType, kernel_size: int, **options: Any) -> nn.Module:  # noqa: ANN401
        # invariants have no element that a weight could belong to
        if in_type.is_invariant and out_type.is_invariant:
            return GroupConv2d(in_type, out_type, kernel_size, **options)
        return RelaxedGroupConv2d(in_type, out_type, kernel_size, banks=self.banks, **options)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Prior(setup.examples, self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
