"""From a picture to the latent state of each object.

Legend of axes: `B` examples, `K` objects, `C` colours, `Z` numbers of the latent state of an object.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import FieldType
from learnsym.groups import Cyclic
from learnsym.nets.blocks import at_least_one
from learnsym.nets.world.layers import ARMS, Layers

PATCH = 4
"""Pixels along an axis that the first convolution joins."""
QUARTERS = Cyclic(4)
HIDDEN = 4
"""Hidden fields of an object, in fields of the convolutions."""


def activated(fields: FieldType) -> tuple[nn.Module, nn.Module]:
    """Vectors of mean 0 and variance 1 over all channels, which permutations leave alike, then ReLU."""
    return nn.LayerNorm(fields.size, elementwise_affine=False), nn.ReLU()


class ObjectEncoder(nn.Module):
    """`z_k = E(S(s)_k)`: three convolutions make a regular field of maps for each object, one as large as the map
    joins it to a vector of regular fields, which is normalised, and two linear maps, the same for all objects, make its
    latent state. Maps go through ELU: one that ReLU sets to 0 in every picture tells nothing of its object, for good.

    With equivariant convolutions quarter turns of pictures turn latents; with free ones (`ours`) it is left to training
    what turns `S(s)`, and all after it is equivariant.

    Args:
        objects: `K`.
        in_channels: `C`.
        size: height and width of pictures, a multiple of 4.
        width: regular fields of the convolutions; vectors have 4 times as many.
        latent: regular fields of the state of an object, `Z = 4 latent`.
        layers: what builds them.

    Raises:
        ValueError: when an argument is out of range.

    Reference: Park, Biza, Zhao, van de Meent, Walters, "Learning symmetric embeddings for equivariant world models"
    (2022), arXiv 2204.11371; object maps after Kipf, van der Pol, Welling (2020), arXiv 1911.12247.

    Example:
        >>> ls.nets.world.ObjectEncoder(3)(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 3, 4])
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
        at_least_one(objects=objects, in_channels=in_channels, width=width, latent=latent)
        if size < 2 * PATCH or size % PATCH:
            raise ValueError(f"size: got {size}, must be a multiple of {PATCH} pixels from {2 * PATCH}; pad pictures")
        self.objects = objects
        conv, linear = layers.pictures, layers.embedding
        image, fields = FieldType.trivial(QUARTERS, in_channels), FieldType.regular(QUARTERS, width)
        maps, one = FieldType.regular(QUARTERS, objects), FieldType.regular(QUARTERS, 1)
        hidden, self.out_type = FieldType.regular(QUARTERS, HIDDEN * width), FieldType.regular(QUARTERS, latent)
        self.maps = nn.Sequential(
            conv(image, fields, PATCH, stride=PATCH),
            nn.ELU(),
            conv(fields, fields, 3, padding=1),
            nn.ELU(),
            conv(fields, maps, 3, padding=1),
            nn.ELU(),
        )
        self.vector = conv(one, hidden, size // PATCH)
        self.embedding = nn.Sequential(
            *activated(hidden), linear(hidden, hidden), nn.ReLU(), linear(hidden, self.out_type)
        )

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K Z"]:
        """The latent state of each object."""
        maps = self.maps(x).unflatten(1, (self.objects, -1)).flatten(0, 1)
        return self.embedding(self.vector(maps).flatten(1)).unflatten(0, (-1, self.objects))
