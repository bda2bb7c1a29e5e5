"""What methods share whose degree lives in the convolutions of a steerable network."""

from __future__ import annotations

from torch import nn

from learnsym import nets
from learnsym.actions import Image, Invariant
from learnsym.groups import plane_group
from learnsym.methods._images import refuse_clouds
from learnsym.methods._method import Setup
from learnsym.nets.steerable_blocks import Conv
from learnsym.symmetry import Symmetry


def steerable_net(
    method: str, setup: Setup, group: str, convolutions: dict[str, Conv], band_limit: int = 2
) -> nn.Module:
    """The steerable network of a twin, whose convolutions are given by twin and have equal channels.

    Raises:
        ValueError: for clouds of points or inputs that are no images.
    """
    refuse_clouds(method, setup)
    conv, data = convolutions[setup.twin], setup.data
    return nets.build_steerable(setup.net, plane_group(group), conv, data.in_shape, data.classes, band_limit)


def invariance(group: str) -> Symmetry:
    """Images moved by a group of the plane, with classes that stay."""
    return Symmetry(plane_group(group), Image(), Invariant())
