"""A world model of a whole scene, such as an arm, moved by torques, whose signs flips change and turns leave alone.

Legend of axes: `B` examples, `C` colours of all pictures of a state, `J` joints, `Z` numbers of the latent state,
`T` steps.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import FieldType
from learnsym.groups import Dihedral
from learnsym.nets.blocks import at_least_one
from learnsym.nets.world.encoder import HIDDEN, activated
from learnsym.nets.world.layers import ARMS, Layers
from learnsym.nets.world.model import of_plain_layers, predicted, rolled
from learnsym.parts import Whole

SQUARE = Dihedral(4)
HALVINGS = 3
"""Of the height and width of pictures, by convolutions of 2x2 pixels at stride 2, each followed by one of 3x3."""
STEP = 0.1
"""Of the change of a state beside what its maps give: at the start a state nearly stays."""
LATENT = 4
"""Regular fields of a state."""


class SceneEncoder(nn.Module):
    """`z = E(S(s))`: seven convolutions, of which the last is as large as the map, make a vector of regular fields of
    D_4, which is normalised, and two linear maps make the latent state.

    With equivariant convolutions turns and flips of pictures move latents; with free ones (`ours`) it is left to
    training what moves `S(s)`, and all after it is equivariant.

    Args:
        in_channels: `C`.
        size: height and width of pictures, a multiple of 8.
        width: regular fields of the convolutions; vectors have 4 times as many.
        latent: regular fields of the state, `Z = 8 latent`.
        layers: what builds them.

    Raises:
        ValueError: when an argument is out of range.

    Reference: Park, Biza, Zhao, van de Meent, Walters (2022), arXiv 2204.11371, for the reacher.

    Example:
        >>> ls.nets.world.SceneEncoder()(torch.rand(2, 6, 32, 32)).shape
        torch.Size([2, 32])
    """

    def __init__(
        self, in_channels: int = 6, size: int = 32, width: int = 2, latent: int = LATENT, layers: Layers = ARMS["ours"]
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, width=width, latent=latent)
        least = 2**HALVINGS
        if size < 2 * least or size % least:
            raise ValueError(f"size: got {size}, must be a multiple of {least} pixels from {2 * least}; pad pictures")
        conv, linear = layers.pictures, layers.embedding
        fields, maps = FieldType.trivial(SQUARE, in_channels), FieldType.regular(SQUARE, width)
        hidden, self.out_type = FieldType.regular(SQUARE, HIDDEN * width), FieldType.regular(SQUARE, latent)
        blocks: list[nn.Module] = []
        for _ in range(HALVINGS):
            blocks += [conv(fields, maps, 2, stride=2), nn.ELU(), conv(maps, maps, 3, padding=1), nn.ELU()]
            fields = maps
        self.maps = nn.Sequential(*blocks)
        self.vector = conv(maps, hidden, size // least)
        self.embedding = nn.Sequential(
            *activated(hidden), linear(hidden, hidden), nn.ReLU(), linear(hidden, self.out_type)
        )

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B Z"]:
        """The latent state."""
        return self.embedding(self.vector(self.maps(x)).flatten(1))


class SceneTransition(nn.Module):
    """`T(z, a) = z + φ(z, a) / 10`, with `φ` of three linear maps with normalisation and ReLU between.

    States move by less than they differ, and a transition that starts with moves as large as states makes training
    shrink them all to one.

    With equivariant maps `T(ρ(g) z, det(g) a) = ρ(g) T(z, a)` for turns and flips `g` of the square.

    Args:
        joints: `J`, torques of an action.
        width: hidden fields are 4 times as many.
        latent: regular fields of the state, `Z = 8 latent`.
        layers: what builds them.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> ls.nets.world.SceneTransition()(torch.rand(5, 32), torch.rand(5, 2)).shape
        torch.Size([5, 32])
    """

    def __init__(self, joints: int = 2, width: int = 2, latent: int = LATENT, layers: Layers = ARMS["ours"]) -> None:
        super().__init__()
        at_least_one(joints=joints, width=width, latent=latent)
        linear = layers.transition
        state, hidden = FieldType.regular(SQUARE, latent), FieldType.regular(SQUARE, HIDDEN * width)
        self.update = nn.Sequential(
            linear(state + torque_type(joints), hidden),
            *activated(hidden),
            linear(hidden, hidden),
            nn.ReLU(),
            linear(hidden, state),
        )

    def forward(self, z: Float[Tensor, "B Z"], action: Float[Tensor, "B J"]) -> Float[Tensor, "B Z"]:
        """The latent state after the action."""
        return z + STEP * self.update(torch.cat([z, action], 1))


class SceneModel(nn.Module):
    """Latent states after an action, predicted from the pictures before and encoded from the pictures after it.

    Args:
        joints, in_channels, size, width, latent, layers: see `SceneEncoder` and `SceneTransition`.

    Example:
        >>> x = {"before": torch.rand(2, 6, 32, 32), "action": torch.rand(2, 2), "after": torch.rand(2, 6, 32, 32)}
        >>> ls.nets.world.SceneModel()(x).shape
        torch.Size([2, 64])
    """

    def __init__(
        self,
        joints: int = 2,
        in_channels: int = 6,
        size: int = 32,
        width: int = 2,
        latent: int = LATENT,
        layers: Layers = ARMS["ours"],
    ) -> None:
        super().__init__()
        self.encoder = SceneEncoder(in_channels, size, width, latent, layers)
        self.transition = SceneTransition(joints, width, latent, layers)
        self.out_type = FieldType.regular(SQUARE, 2 * latent)

    def forward(self, x: Whole) -> Float[Tensor, "B O"]:
        """`(T(z, a), z')` as `2 Z` numbers, of inputs with the parts `before`, `action` and `after`."""
        return predicted(self.encoder, self.transition, x)

    def rollout(self, before: Float[Tensor, "B C H W"], actions: Float[Tensor, "B T J"]) -> Float[Tensor, "B Z"]:
        """The latent states after several actions."""
        return rolled(self.encoder, self.transition, before, actions)

    def plain(self) -> nn.Module:
        """The same function of plain layers."""
        return of_plain_layers(self)


def torque_type(joints: int) -> FieldType:
    """Torques: alike under turns, of the other sign under flips."""
    return FieldType.irreps(SQUARE, {(0, 1): joints})
