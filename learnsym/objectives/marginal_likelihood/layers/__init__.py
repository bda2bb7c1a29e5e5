"""Layers whose weights have Kronecker factors: of each tensor, what it takes in and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from learnsym.equivariant import EquivariantLinear, GroupConv2d, SteerableConv
from learnsym.equivariant.normalisation import NormScale
from learnsym.objectives.marginal_likelihood.layers._acting import LARGEST, Acting
from learnsym.objectives.marginal_likelihood.layers.exact import ExactActing
from learnsym.objectives.marginal_likelihood.layers.grid_maps import (
    ConvMapActing,
    DenseMapActing,
    FactoredMapActing,
    SparsifiedConvActing,
    SparsifiedMapActing,
)
from learnsym.objectives.marginal_likelihood.layers.linear import ConvActing, LinearActing
from learnsym.objectives.marginal_likelihood.layers.normalisation import NormalisationActing
from learnsym.relax import ConvMap, DenseMap, FactoredMap, SparsifiedConv, SparsifiedMap

Table = Mapping[type[nn.Module], Callable[..., Acting]]

LINEAR: Table = {
    nn.Linear: LinearActing,
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), ConvActing),
    **dict.fromkeys((GroupConv2d, SteerableConv, EquivariantLinear), ExactActing),
    ConvMap: ConvMapActing,
    DenseMap: DenseMapActing,
    FactoredMap: FactoredMapActing,
    SparsifiedConv: SparsifiedConvActing,
    SparsifiedMap: SparsifiedMapActing,
}
"""Linear layers and convolutions, by their exact type: a subclass may compute something else."""
NORMALISATIONS: Table = dict.fromkeys(
    (
        nn.BatchNorm1d,
        nn.BatchNorm2d,
        nn.BatchNorm3d,
        nn.LayerNorm,
        nn.GroupNorm,
        nn.InstanceNorm1d,
        nn.InstanceNorm2d,
        nn.InstanceNorm3d,
        NormScale,
    ),
    NormalisationActing,
)
"""Scales and shifts of normalisations, with a diagonal curvature."""

__all__ = ["LARGEST", "LINEAR", "NORMALISATIONS", "Acting", "Table"]
