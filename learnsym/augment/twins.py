"""Parts of the twins that a learned augmentation is compared with.

All twins hold the same network, hence the same parameters but for the few of a learned distribution; they differ in
the elements that they average over. In evaluation the fixed twin takes as many copies as the learned one: a plain
network without test copies is not a fair opponent of either. The exact twin costs `orbit` passes in training too.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from learnsym.actions import RGB, Action, Channels, Invariant
from learnsym.actions import Product as ProductAction
from learnsym.distributions import Fixed, Haar, LearnableDistribution, LieBox
from learnsym.groups import Group
from learnsym.parts import Part, Whole
from learnsym.symmetry import Symmetry, SymmetryLike, as_symmetry


class Plain(nn.Module):
    """A network alone, with the interface of its twins.

    Args:
        net: any module.
        output: key of the part of what it returns that is its output, see `Symmetry.at`; empty for one tensor.

    Example:
        >>> ls.augment.Plain(nn.Linear(3, 2))(torch.rand(4, 3)).shape
        torch.Size([4, 2])
    """

    def __init__(self, net: nn.Module, output: str = "") -> None:
        super().__init__()
        self.net = net
        self.output = Part(output, "output")

    def forward(self, x: Whole) -> Whole:
        return self.output.get(self.net(x))

    def plain(self) -> nn.Module:
        """The network alone."""
        return self.net


def fixed(group: Group, half_widths: dict[str, float]) -> LearnableDistribution:
    """A fixed box from half-widths in reporting units by name of generator; the Haar measure of a finite group.

    Raises:
        ValueError: when the group has no generator of a name.

    Example:
        >>> ls.augment.fixed(ls.groups.SO2(), {"rotation": 180.0})().half_width
        tensor([3.1416])
    """
    names = [generator.name for generator in group.generators]
    unknown = sorted(set(half_widths) - set(names))
    if unknown:
        known = ", ".join(names) or "none"
        raise ValueError(f"fixed: {group.name} has no generator {', '.join(unknown)}; its generators: {known}")
    if group.dim == 0:
        return Fixed(Haar(group))
    values = [half_widths.get(generator.name, 0.0) * generator.per_unit for generator in group.generators]
    return Fixed(LieBox(group, torch.tensor(values)))


def equivariant(symmetry: SymmetryLike) -> Symmetry:
    """The same symmetry with outputs that move like the inputs, but for their colours: for label maps.

    Of structured data the part that moves and the one that is the output stay what they were.

    Example:
        >>> ls.augment.equivariant(ls.symmetry_by_name("rotation2d")).on_output
        Image(mode='bilinear', padding='zeros')
    """
    symmetry = as_symmetry(symmetry)
    moves = _without_colour(symmetry.on_input.within)
    return replace(symmetry, on_output=moves).at(output=symmetry.on_output.part.key)


def _without_colour(action: Action) -> Action:
    if isinstance(action, ProductAction):
        return replace(action, actions=tuple(_without_colour(factor) for factor in action.actions))
    return Invariant() if isinstance(action, Channels | RGB) else action
