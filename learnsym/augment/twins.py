"""The learned model and the twins that it is compared with.

All twins hold the same network, hence the same parameters but for the few of a learned distribution; they differ in
the elements that they average over. In evaluation the fixed twin takes as many copies as the learned one: a plain
network without test copies is not a fair opponent of either. The exact twin costs `orbit` passes in training too.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from learnsym.actions import RGB, Action, Channels, Invariant
from learnsym.actions import Product as ProductAction
from learnsym.augment.augmented import Augmented
from learnsym.augment.averages import averages
from learnsym.augment.config import AugmentConfig
from learnsym.augment.orbit import OrbitAveraged, quadrature
from learnsym.distributions import Fixed, Haar, LearnableDistribution, LieBox, learnable
from learnsym.groups import Group
from learnsym.symmetry import Symmetry, symmetry_by_name

KINDS = ("learned", "plain", "fixed", "exact")


class Plain(nn.Module):
    """A network alone, with the interface of its twins.

    Example:
        >>> ls.augment.Plain(nn.Linear(3, 2))(torch.rand(4, 3)).shape
        torch.Size([4, 2])
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def plain(self) -> nn.Module:
        """The network alone."""
        return self.net


def build(net: nn.Module, config: AugmentConfig) -> nn.Module:
    """The twin that a configuration describes, around a network.

    Raises:
        ValueError: for an unknown symmetry or a configuration that does not fit it.

    Example:
        >>> config = ls.augment.AugmentConfig(symmetry="rotation2d", twin="fixed", fixed={"rotation": 30.0})
        >>> print(ls.augment.build(ls.nets.CNN(1, 10), config).degrees("input")[0])
        input: SO(2) rotation 30 degree (task, fixed)
    """
    symmetry = symmetry_by_name(config.exact if config.twin == "exact" else config.symmetry)
    return twin(net, equivariant(symmetry) if config.output == "equivariant" else symmetry, config.twin, config)


def twin(net: nn.Module, symmetry: Symmetry, kind: str, config: AugmentConfig | None = None) -> nn.Module:
    """One of the four twins around a network: `learned`, `plain`, `fixed` or `exact`.

    Args:
        net: any module from a batch to a batch.
        symmetry: how elements move inputs and outputs.
        kind: which twin.
        config: the other settings; its `symmetry`, `output`, `exact` and `twin` are not read.

    Raises:
        ValueError: for an unknown kind, or an exact twin of a group that is not compact.
    """
    config = AugmentConfig() if config is None else config
    average = averages[config.average]
    if kind == "plain":
        return Plain(net)
    if kind == "exact":
        return OrbitAveraged(net, symmetry, quadrature(symmetry.group, config.orbit), average=average)
    if kind not in KINDS:
        raise ValueError(f"kind: got {kind!r}, must be one of {', '.join(KINDS)}")
    learned = kind == "learned"
    distribution = learnable(symmetry.group, config.init) if learned else fixed(symmetry.group, config.fixed)
    return Augmented(net, symmetry, distribution, copies=config.copies, test_copies=config.test_copies, average=average)


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


def equivariant(symmetry: Symmetry) -> Symmetry:
    """The same symmetry with outputs that move like the inputs, but for their colours: for label maps.

    Example:
        >>> ls.augment.equivariant(ls.symmetry_by_name("rotation2d")).on_output
        Image(mode='bilinear', padding='zeros')
    """
    return replace(symmetry, on_output=_without_colour(symmetry.on_input))


def _without_colour(action: Action) -> Action:
    if isinstance(action, ProductAction):
        return replace(action, actions=tuple(_without_colour(factor) for factor in action.actions))
    return Invariant() if isinstance(action, Channels | RGB) else action
