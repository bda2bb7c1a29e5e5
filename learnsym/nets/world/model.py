"""A world model of objects: encoder and transition, and what the contrastive loss needs of a transition.

Legend of axes: `B` examples, `K` objects, `Z` numbers of the latent state of an object, `T` steps.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import FieldType
from learnsym.equivariant.twins import plain_twin
from learnsym.nets.world.encoder import QUARTERS, ObjectEncoder
from learnsym.nets.world.layers import ARMS, Layers
from learnsym.nets.world.transition import ObjectTransition
from learnsym.parts import Whole


def predicted(encoder: nn.Module, transition: nn.Module, x: Whole) -> Float[Tensor, "B O"]:
    """`(T(z, a), z')`, of inputs with the parts `before`, `action` and `after`."""
    parts: Any = x
    both = torch.stack([parts["before"], parts["after"]], 1).flatten(0, 1)
    z, after = encoder(both).unflatten(0, (-1, 2)).unbind(1)
    return torch.cat([transition(z, parts["action"]), after], 1).flatten(1)


def rolled(
    encoder: nn.Module, transition: nn.Module, before: Float[Tensor, "B C H W"], actions: Float[Tensor, "B T A"]
) -> Float[Tensor, "B O"]:
    """The latent states after several actions: the transition is applied to its own outcome."""
    z = encoder(before)
    for action in actions.unbind(1):
        z = transition(z, action)
    return z.flatten(1)


def of_plain_layers(model: Any) -> nn.Module:  # noqa: ANN401 - any module of an encoder and a transition
    """A copy whose encoder and transition are made of plain layers."""
    twin = copy.deepcopy(model)
    twin.encoder, twin.transition = plain_twin(model.encoder), plain_twin(model.transition)
    return twin


class ObjectModel(nn.Module):
    """Latent states after an action, predicted from the picture before and encoded from the picture after it.

    Args:
        objects, in_channels, size, width, latent, layers: see `ObjectEncoder`.

    Example:
        >>> transitions = ls.data.worlds.GridWorld(objects=3).transitions(2)
        >>> ls.nets.world.ObjectModel(3)(transitions.inputs).shape
        torch.Size([2, 24])
    """

    def __init__(
        self,
        objects: int,
        in_channels: int = 3,
        size: int = 32,
        width: int = 4,
        latent: int = 1,
        layers: Layers = ARMS["ours"],
    ) -> None:
        super().__init__()
        self.encoder = ObjectEncoder(objects, in_channels, size, width, latent, layers)
        self.transition = ObjectTransition(objects, width, latent, layers)
        self.out_type = FieldType.regular(QUARTERS, 2 * objects * latent)

    def forward(self, x: Whole) -> Float[Tensor, "B O"]:
        """`(T(z, a), z')` as `2 K Z` numbers, of inputs with the parts `before`, `action` and `after`."""
        return predicted(self.encoder, self.transition, x)

    def rollout(self, before: Float[Tensor, "B C H W"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "B O"]:
        """The latent states after several actions, as `K Z` numbers."""
        return rolled(self.encoder, self.transition, before, actions)

    def plain(self) -> nn.Module:
        """The same function of plain layers."""
        return of_plain_layers(self)
