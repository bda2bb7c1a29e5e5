"""What an action does to the latent states of objects.

Legend of axes: `B` examples, `K` objects, `Z` numbers of the latent state of an object.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import FieldType
from learnsym.nets.blocks import at_least_one
from learnsym.nets.world.encoder import HIDDEN, QUARTERS, activated
from learnsym.nets.world.layers import ARMS, Layers


class ObjectTransition(nn.Module):
    """`z'_i = z_i + φ(z_i, a_i, Σ_{j≠i} ψ(z_i, z_j))`: messages between objects, with `φ` and `ψ` of two linear maps
    with normalisation and ReLU between.

    Equivariant under the permutations of objects, and with equivariant maps under quarter turns `g`:
    `T(g·z, g·a) = g·T(z, a)`.

    Args:
        objects: `K`.
        width: hidden fields are 4 times as many.
        latent: regular fields of the state of an object, `Z = 4 latent`.
        layers: what builds them.

    Raises:
        ValueError: for sizes below 1.

    Reference: Kipf, van der Pol, Welling (2020), arXiv 1911.12247; with C_4 layers Park et al. (2022), arXiv
    2204.11371.

    Example:
        >>> ls.nets.world.ObjectTransition(3)(torch.rand(2, 3, 4), torch.rand(2, 12)).shape
        torch.Size([2, 3, 4])
    """

    def __init__(self, objects: int, width: int = 4, latent: int = 1, layers: Layers = ARMS["ours"]) -> None:
        super().__init__()
        at_least_one(objects=objects, width=width, latent=latent)
        self.objects = objects
        linear = layers.transition
        state, push = FieldType.regular(QUARTERS, latent), FieldType.regular(QUARTERS, 1)
        hidden = FieldType.regular(QUARTERS, HIDDEN * width)
        # the first map of a message is a sum over its ends, so that it is taken once for each object
        self.sender, self.receiver = linear(state, hidden), linear(state, hidden)
        self.message = nn.Sequential(*activated(hidden), linear(hidden, hidden))
        self.update = nn.Sequential(linear(state + push + hidden, hidden), *activated(hidden), linear(hidden, state))

    def forward(self, z: Float[Tensor, "B K Z"], action: Float[Tensor, "B A"]) -> Float[Tensor, "B K Z"]:
        """The latent states after the action, four numbers for each object."""
        each = z.flatten(0, 1)
        sent, received = (layer(each).unflatten(0, (-1, self.objects)) for layer in (self.sender, self.receiver))
        # ψ(z_i, z_j) for j ≠ i
        pairs = received[:, :, None] + sent[:, None]
        others = ~torch.eye(self.objects, dtype=torch.bool, device=z.device)
        messages = self.message(pairs.flatten(0, 2)).unflatten(0, (-1, self.objects, self.objects))
        heard = (messages * others[..., None]).sum(2)
        pushes = action.unflatten(1, (self.objects, 4))
        update = self.update(torch.cat([z, pushes, heard], 2).flatten(0, 1))
        return z + update.unflatten(0, (-1, self.objects))
