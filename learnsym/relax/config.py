"""Settings of relaxed layers, the convolutions of each twin, and relaxed inputs of networks on clouds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

from torch import nn

from learnsym import groups
from learnsym.actions import PointCloud
from learnsym.equivariant import FieldType, FreeConv, SteerableConv
from learnsym.groups import Group
from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.relax.likelihood.start import peaked
from learnsym.relax.points.absolute_coordinates import AbsoluteCoordinates
from learnsym.relax.points.extras import Make
from learnsym.relax.points.fixed_inputs import FixedInputs
from learnsym.relax.probabilistic import ProbabilisticSteerableConv
from learnsym.relax.relaxed_steerable_conv import RelaxedSteerableConv
from learnsym.relax.residual_pathway import ResidualPathway

SteerableLayer = Literal["probabilistic", "residual", "relaxed"]
PointLayer = Literal["fixed_inputs", "absolute_coordinates", "fixed_and_absolute"]
Layer = Literal["none", SteerableLayer, PointLayer]
STEERABLE_LAYERS: tuple[str, ...] = get_args(SteerableLayer)
"""Layers of a steerable network on images."""
POINT_LAYERS: tuple[str, ...] = get_args(PointLayer)
"""Relaxations around a network on clouds of points."""
Convolution = Callable[..., Any]
"""`conv(in_type, out_type, kernel_size, stride=, padding=, bias=)`."""


@dataclass(frozen=True, kw_only=True)
class RelaxConfig:
    """How far a steerable network, or one on clouds, may leave the equivariant ones: the degree in the weights."""

    layer: Layer = "none"
    """Layers of the learned twin. Steerable: with a likelihood of group elements; with a free kernel added; with
    coefficients that vary over the kernel. Clouds: the exact network with learned vectors as extra inputs, see
    `relax.points.FixedInputs`; with scalars that see where points are, see `AbsoluteCoordinates`; with both. None: the
    degree lives in the data, see `augment`."""
    group: str = "C_4"
    """Steerable: group of the learned and the exact twin: C_N, D_N, SO(2) or O(2)."""
    band_limit: int = 2
    """Highest frequency of the fields of SO(2) and O(2)."""
    start: float = 4.0
    """Probabilistic: height of the bump at the identity with which likelihoods start, in nats; 0 for a uniform start,
    which is exact and slow to leave."""
    free_variance: float = 0.01
    """Residual: prior variance of the free kernel, in that of usual initial weights."""
    vectors: int = 1
    """Fixed inputs: number of learned vectors; one leaves the rotations about it, two none."""
    weight: float = 1.0
    """Weight of what holds the layers to their symmetry: divergences (probabilistic), priors (all others)."""

    def __post_init__(self) -> None:
        if self.layer not in get_args(Layer):
            raise ValueError(f"relax.layer: got {self.layer!r}, must be one of {', '.join(get_args(Layer))}")
        if self.vectors < 1:
            raise ValueError(f"relax.vectors: got {self.vectors}, must be >= 1; 1 leaves rotations about one axis")
        if self.band_limit < 1:
            raise ValueError(f"relax.band_limit: got {self.band_limit}, must be >= 1; 2 is usual")
        if not self.free_variance > 0 or not self.weight >= 0:
            raise ValueError(
                f"relax.free_variance, relax.weight: got {self.free_variance}, {self.weight}, must be > 0 and >= 0"
            )
        if not self.start >= 0:
            raise ValueError(f"relax.start: got {self.start}, must be >= 0; 4 is nearly free, 0 exact")
        group_named(self.group)


def group_named(name: str) -> Group:
    """A compact group of the plane by its name.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from learnsym.relax.config import group_named
        >>> group_named("D_4")
        D_4
    """
    finite = re.fullmatch(r"([CD])_([1-9]\d*)", name)
    if finite:
        return (groups.Cyclic if finite[1] == "C" else groups.Dihedral)(int(finite[2]))
    if name in ("SO(2)", "O(2)"):
        return groups.SO2() if name == "SO(2)" else groups.O2()
    raise ValueError(f"relax.group: got {name!r}, must be C_N or D_N with a number N, SO(2) or O(2), such as C_4")


def convolution(config: RelaxConfig, twin: str) -> Convolution:
    """The convolutions of a twin: relaxed (`learned`), equivariant (`exact`) or free (`plain`), with equal channels.

    Raises:
        ValueError: for another twin, or when no relaxed layer is chosen.
    """
    learned: dict[str, Convolution] = {
        "probabilistic": partial(_probabilistic, config.start),
        "residual": partial(_residual, config.free_variance),
        "relaxed": RelaxedSteerableConv,
    }
    if config.layer not in learned:
        raise ValueError(
            f"relax.layer: got {config.layer!r} for a steerable network, must be one of {', '.join(learned)}"
        )
    made = {"learned": learned[config.layer], "exact": SteerableConv, "plain": FreeConv}
    if twin not in made:
        raise ValueError(f"twin: got {twin!r}, must be learned, exact or plain where the degree lives in the weights")
    return made[twin]


def relaxed_points(config: RelaxConfig, make: Make, inputs: PointCloud) -> nn.Module:
    """A network on clouds that may leave the symmetry of the one that it is made of: the learned twin.

    Args:
        config: which relaxation.
        make: builds the exact network for clouds of given types.
        inputs: types of the clouds.

    Raises:
        ValueError: for a layer of steerable networks, or none.

    Example:
        >>> make = lambda inputs: ls.nets.points.EGNN(inputs, ls.actions.PointCloud(), hidden=8, layers=1)
        >>> config = ls.relax.RelaxConfig(layer="fixed_and_absolute")
        >>> [degree.generator for degree in ls.degrees(relaxed_points(config, make, ls.actions.PointCloud()))]
        ['absolute coordinates', 'fixed vector 0']
    """

    def fixed(types: PointCloud) -> nn.Module:
        return FixedInputs(make, types, config.vectors)

    made: dict[str, Make] = {
        "fixed_inputs": fixed,
        "absolute_coordinates": lambda types: AbsoluteCoordinates(make, types),
        "fixed_and_absolute": lambda types: AbsoluteCoordinates(fixed, types),
    }
    if config.layer not in made:
        raise ValueError(f"relax.layer: got {config.layer!r} for clouds of points, must be one of {', '.join(made)}")
    return made[config.layer](inputs)


def _residual(
    variance: float,
    in_type: FieldType,
    out_type: FieldType,
    kernel_size: int,
    **options: Any,  # noqa: ANN401
) -> ResidualPathway:
    return ResidualPathway(SteerableConv(in_type, out_type, kernel_size, **options), free_variance=variance)


def _probabilistic(
    start: float,
    in_type: FieldType,
    out_type: FieldType,
    kernel_size: int,
    **options: Any,  # noqa: ANN401
) -> ProbabilisticSteerableConv:
    likelihood = peaked(Likelihood(in_type.group), start)
    return ProbabilisticSteerableConv(in_type, out_type, kernel_size, likelihood=likelihood, **options)
