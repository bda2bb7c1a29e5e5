"""Learned weight sharing: kernels of a group convolution are moved by learned matrices, the group unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from learnsym._settings import NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FieldType, FreeConv, GroupConv2d
from learnsym.methods._images import regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance, steerable_net
from learnsym.objectives import Objective
from learnsym.objectives.terms import Moves
from learnsym.relax.sharing import LearnedGroupConv2d
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class WeightSharing(Method):
    """A network of group convolutions that learn how their kernels move, with as many elements as a group has."""

    name: Literal["weight_sharing"] = "weight_sharing"
    group: Literal["C_2", "C_4", "D_1", "D_2", "D_4"] = "C_4"
    """Group of the exact twin; of the learned one the number of elements, and what its matrices are compared with."""
    kind: Literal["doubly_stochastic", "row_stochastic", "free"] = "doubly_stochastic"
    """Learned matrices; the latter two are for comparison."""
    weight: NotNegative = 0.1
    """Weight of the norm of the matrices' logarithms."""
    entropy: NotNegative = 0.0
    """Weight of the entropy of their rows, which makes them permutations."""

    title = "weight sharing with doubly stochastic matrices"
    place = "weights"
    papers = (("van der Linden et al. 2024", "2412.04594"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation", "implicit")

    def __post_init__(self) -> None:
        check_settings(self, "method.")

    def model(self, setup: Setup) -> nn.Module:
        twins = {"learned": self._learned, "exact": GroupConv2d, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins)

    def _learned(self, in_type: FieldType, out_type: FieldType, kernel_size: int, **options: Any) -> nn.Module:  # noqa: ANN401
        # invariants have no element for which a kernel could be moved
        if out_type.is_invariant:
            return GroupConv2d(in_type, out_type, kernel_size, **options)
        return LearnedGroupConv2d(in_type, out_type, kernel_size, kind=self.kind, **options)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Moves(self.weight, self.entropy))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
