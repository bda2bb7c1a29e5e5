"""Partial group convolution: each layer sees a learned part of the group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from learnsym._settings import NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FieldType, SteerableConv
from learnsym.groups import Cyclic, plane_group
from learnsym.methods._checks import group_named
from learnsym.methods._images import refuse_clouds, regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance
from learnsym.nets import GroupCNN
from learnsym.objectives import Objective
from learnsym.objectives.terms import IncreaseAlongDepth
from learnsym.relax import LearnedArc, LearnedElements, PartialGroupConv, PartialMean
from learnsym.symmetry import Symmetry

PARTS = {"arc": LearnedArc, "elements": LearnedElements}


@dataclass(frozen=True, kw_only=True)
class PartialGroup(Method):
    """Group convolutions over learned parts of the group: `plain` over the identity alone, `exact` over all of it."""

    name: Literal["partial_group"] = "partial_group"
    group: str = "C_8"
    """Group of the learned and the exact twin, C_N or D_N."""
    part: Literal["arc", "elements"] = "arc"
    """Learned part of the group: an arc of rotations about the identity, or a set of elements."""
    weight: NotNegative = 1e-3
    """Weight of what a later layer keeps more than the one before."""

    title = "partial group convolution"
    place = "weights"
    papers = (("Romero and Lohit 2022", "2110.10211"),)
    nets = ("group",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        if group_named("group", self.group).order is None:
            raise ValueError(f"method.group: got {self.group!r}, must be C_N or D_N, such as C_8")

    def model(self, setup: Setup) -> nn.Module:
        refuse_clouds(self.name, setup)
        data, group = setup.data, plane_group(self.group)
        channels, classes, fields, part = data.in_shape[0], data.classes, setup.net.width, PARTS[self.part]

        def conv(exact: SteerableConv) -> nn.Module:
            return PartialGroupConv(exact, part(exact.in_type))

        def mean(field_type: FieldType) -> nn.Module:
            return PartialMean(field_type, part(field_type))

        # as many channels in every twin
        twins: dict[str, Callable[[], nn.Module]] = {
            "learned": lambda: GroupCNN(group, channels, classes, fields, conv, mean),
            "plain": lambda: GroupCNN(Cyclic(1), channels, classes, fields * len(group.components)),
            "exact": lambda: GroupCNN(group, channels, classes, fields),
        }
        return twins[setup.twin]()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, IncreaseAlongDepth(self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
