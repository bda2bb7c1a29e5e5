"""An encoder whose features know the pose, and the classifier that reads it through invariants."""

from __future__ import annotations

import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import (
    FieldType,
    GlobalAveragePool,
    GroupConv2d,
    OrbitInvariants,
    Sequential,
    SteerableConv,
)
from learnsym.groups import Group
from learnsym.nets.blocks import at_least_one
from learnsym.nets.invariant_cnn import LATTICE


class RegularEncoder(nn.Module):
    """Group convolutions of regular fields and the mean over pixels: `z(g·x) = ρ(g) z(x)` with `ρ` regular.

    Each of `depth` blocks is a 3x3 group convolution, normalisation of whole fields within an example and ReLU; the
    first `pools` end with 2x2 max pooling. Exact for the elements that move pixels onto pixels, where the sides of the
    image are multiples of `2^pools`. Nothing depends on the other examples of a batch, so that whole pictures and small
    tiles of them can be encoded by turns.

    Args:
        group: finite, of the plane; `C_1` for an encoder without symmetry.
        in_channels: channels of the images.
        fields: regular fields of every block; each has as many channels as the group has elements.
        depth: blocks.
        pools: of them with pooling.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> net = ls.nets.RegularEncoder(ls.groups.Cyclic(4), 1, fields=2)
        >>> x = torch.rand(2, 1, 16, 16)
        >>> torch.allclose(net(x.rot90(1, (-2, -1))), net(x).unflatten(1, (2, 4)).roll(1, 2).flatten(1), atol=1e-5)
        True
    """

    def __init__(self, group: Group, in_channels: int, fields: int = 8, depth: int = 4, pools: int = 2) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, fields=fields, depth=depth)
        image, regular = FieldType.trivial(group, in_channels), FieldType.regular(group, fields)
        self.out_type, self.pools = regular, pools
        blocks = enumerate(self._blocks(image, depth))
        layers = [[*block, *[nn.MaxPool2d(2)] * (number < pools)] for number, block in blocks]
        self.features = Sequential(*itertools.chain(*layers), GlobalAveragePool(regular))

    def _blocks(self, image: FieldType, depth: int) -> list[list[nn.Module]]:
        types = [image, *[self.out_type] * (depth - 1)]
        return [[*normalised(fields, self.out_type), nn.ReLU()] for fields in types]

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B c"]:
        """The features, vectors of type `out_type`."""
        return self.features(x)


class RegularResNet(RegularEncoder):
    """The same with residual blocks: a first convolution, then `depth` blocks of two, `relu(x + f(x))`.

    p4 and p4m ResNets are those of C_4 and D_4.

    Reference: Cohen, Welling, "Group equivariant convolutional networks" (2016), arXiv 1602.07576; He, Zhang, Ren, Sun,
    "Deep residual learning for image recognition" (2015), arXiv 1512.03385.

    Args:
        group, in_channels, fields, depth, pools: as those of `RegularEncoder`.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> net = ls.nets.RegularResNet(ls.groups.Dihedral(4), 1, fields=2, depth=2)
        >>> net(torch.rand(2, 1, 16, 16)).shape
        torch.Size([2, 16])
    """

    def _blocks(self, image: FieldType, depth: int) -> list[list[nn.Module]]:
        first = [*normalised(image, self.out_type), nn.ReLU()]
        return [[*(first if block == 0 else []), RegularBlock(self.out_type)] for block in range(depth)]


class RegularBlock(nn.Module):
    """`relu(x + f(x))` with two convolutions of regular fields."""

    def __init__(self, fields: FieldType) -> None:
        super().__init__()
        self.inner = nn.Sequential(*normalised(fields, fields), nn.ReLU(), *normalised(fields, fields))

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B c H W"]:
        """Fields of the next block."""
        return (x + self.inner(x)).relu()


def normalised(in_type: FieldType, regular: FieldType) -> list[nn.Module]:
    """A 3x3 convolution to regular fields, and their normalisation within an example."""
    conv = GroupConv2d if regular.group.name in LATTICE else SteerableConv
    # groups of whole fields, without weights of channels, which the group would permute
    return [conv(in_type, regular, 3, padding=1), nn.GroupNorm(math.gcd(regular.fields, 4), regular.size, affine=False)]


class OrbitClassifier(nn.Module):
    """A linear layer on the invariants of an encoder: `f(x) = W n(I(z(x))) + b`, so that `f(g·x) = f(x)`.

    The linear layer is a probe of the encoder where the latter is not trained on labels, see `set_probe`.

    Args:
        encoder: gives vectors of regular fields.
        classes: number of outputs.

    Example:
        >>> net = ls.nets.OrbitClassifier(ls.nets.RegularEncoder(ls.groups.Cyclic(4), 1, fields=2), classes=10)
        >>> net(torch.rand(2, 1, 16, 16)).shape
        torch.Size([2, 10])
    """

    def __init__(self, encoder: RegularEncoder, classes: int) -> None:
        super().__init__()
        at_least_one(classes=classes)
        self.encoder = encoder
        self.invariants = OrbitInvariants(encoder.out_type)
        features = self.invariants.out_type.size
        self.norm = nn.BatchNorm1d(features, affine=False)
        self.head = nn.Linear(features, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """The class logits."""
        return self.read(self.encoder(x))

    def read(self, z: Float[Tensor, "B c"]) -> Float[Tensor, "B K"]:
        """The class logits of features."""
        return self.head(self.norm(self.invariants(z)))

    @torch.no_grad()
    def set_probe(
        self, mean: Float[Tensor, "F"], std: Float[Tensor, "F"], weight: Float[Tensor, "K F"], bias: Float[Tensor, "K"]
    ) -> None:
        """In evaluation, `W (I(z) - mean) / std + b` for the linear layer from now on."""
        assert self.norm.running_mean is not None and self.norm.running_var is not None
        self.norm.running_mean.copy_(mean)
        self.norm.running_var.copy_(std.square())
        # the normalisation divides by sqrt(var + eps)
        self.head.weight.copy_(weight * ((std.square() + self.norm.eps).sqrt() / std))
        self.head.bias.copy_(bias)
