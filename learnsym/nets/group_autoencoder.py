"""An autoencoder that is exactly equivariant: its code is an invariant vector and a pose.

Legend of axes: `B` batch, `C` colours, `N` pixels along an axis, `Z` size of the code.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pixel_shuffle

from learnsym.equivariant import ExtendedConv2d, FieldType, LatticePose, PoseIndex, RestrictedConv2d
from learnsym.equivariant.subsampling.fields import by_field
from learnsym.equivariant.subsampling.gather import restricted_to, transported
from learnsym.equivariant.subsampling.index import best_pose, blurred
from learnsym.equivariant.subsampling.subsample import CosetTables
from learnsym.groups import Cyclic, Dihedral, Group
from learnsym.nets.autoencoders import SLOPE, activation, feature_widths, he_weights
from learnsym.nets.blocks import at_least_one

BLUR = 5 / 64
"""Of the response that gives the pose, standard deviation as a share of the side of the images."""


class Latent(NamedTuple):
    """What an image is, and how it lies: moved images have the same code and a moved pose."""

    code: Float[Tensor, "B Z"]
    index: PoseIndex

    @property
    def pose(self) -> LatticePose:
        """How the image lies: shift, turn and flip."""
        return self.index.pose


class GroupAutoencoder(nn.Module):
    """Group convolutions with equivariant subsampling down to one pixel and no turns or flips, and the same way back.

        encode(x) = (z, ĝ),    encode(g·x) = (z, g ĝ),    decode(z, ĝ) = ĝ·decode(z, e)

    The pose `ĝ` is found once, from the first features. With the levels `Z² ⋊ G_0 = K_0 ⊃ K_1 ⊃ ... ⊃ K_L = {e}` it is
    the product of their coset indices. As everything is equivariant, the image is moved by `ĝ^-1` once, and all levels
    sample the coset of the identity: ordinary strides. Likewise the decoder works at the identity and moves its image
    by `ĝ` at the end.

    Turns and flips are given up at the last two levels: p4 to half turns, then none; p4m to half turns and flips, then
    none. Images wrap around. Exact for all shifts by pixels, quarter turns and flips of the group, save for images that
    are symmetric themselves, whose pose is known up to that symmetry only: `index.margin` is 0 there.

    Args:
        group: C_1 (p1), C_4 (p4) or D_4 (p4m); also C_2, D_1, D_2.
        size: `N`, a power of two from 16.
        channels: `C`.
        width: regular fields of the first two layers; later ones have twice as many.
        code: `Z`.

    Raises:
        ValueError: for a group that does not map pixels to pixels, or a size that is no power of two.

    Reference: Xu, Kim, Rainforth, Teh, "Group equivariant subsampling" (2021), arXiv 2106.05886.

    Example:
        >>> net = ls.nets.GroupAutoencoder(ls.groups.Cyclic(4), 16, width=4)
        >>> x = torch.rand(2, 3, 16, 16)
        >>> torch.allclose(net(x.roll((3, 5), (2, 3))), net(x).roll((3, 5), (2, 3)), atol=1e-6)
        True
    """

    def __init__(self, group: Group, size: int, channels: int = 3, width: int = 20, code: int = 32) -> None:
        super().__init__()
        at_least_one(channels=channels, width=width, code=code)
        widths = feature_widths(size, width)
        levels, strides = subgroups(group, len(widths)), [2] * (len(widths) - 1) + [4]
        kernels = [3] * (len(widths) - 1) + [5]
        first = FieldType.regular(group, widths[0])
        self.image, self.order = FieldType.trivial(group, channels), len(group.components)
        self.stem = RestrictedConv2d(self.image, first, 3, strides[0])
        self.blur, self.whole = BLUR * size, CosetTables(group, group, 1)
        # the size as a stride makes each pose a coset, and the margin that of the whole pose
        self.poses = CosetTables(group, Cyclic(1), size)
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for k in range(1, len(widths)):
            fine = levels[k - 1]
            i, o = FieldType.regular(fine, widths[k - 1]), FieldType.regular(fine, widths[k])
            down += [RestrictedConv2d(i, o, kernels[k], strides[k], subgroup=levels[k]), activation()]
            up = [ExtendedConv2d(o, i, kernels[k], strides[k], subgroup=levels[k]), activation(), *up]
        up += [ExtendedConv2d(first, first, 3, strides[0]), activation()]
        self.down = nn.Sequential(*down, nn.Flatten(), nn.Linear(widths[-1], code))
        start = nn.Sequential(nn.Linear(code, widths[-1]), activation(), nn.Unflatten(1, (widths[-1], 1, 1)))
        self.up = nn.Sequential(start, *up, RestrictedConv2d(first, self.image, 3, 1))
        he_weights(self, self.up[-1])

    def encode(self, x: Float[Tensor, "B C N N"]) -> Latent:
        """The invariant code and the pose of each image."""
        index = best_pose(blurred(self.first_response(x), self.blur), self.poses())
        whole, pose = self.whole(), index.pose
        upright = by_field(self.image, x, lambda part, _: restricted_to(whole, pose, part))
        return Latent(self.down(leaky_relu(self.stem(upright), SLOPE, inplace=True)), index)

    @torch.no_grad()
    def first_response(self, x: Float[Tensor, "B C N N"]) -> Float[Tensor, "B G N N"]:
        """Of the first features at all pixels: those of the strided layer at each offset of its stride."""
        offsets = [x.roll((-row, -column), (2, 3)) for row in range(2) for column in range(2)]
        f = leaky_relu(self.stem(torch.cat(offsets)), SLOPE, inplace=True).movedim(1, -1).unflatten(0, (4, -1))
        # mean f over pixels and elements, then Σ_F |f - mean f|
        mean = f.mean((0, 2, 3)).unflatten(1, (-1, self.order)).mean(2).repeat_interleave(self.order, 1)
        fields = torch.eye(self.order).to(f).repeat(f.shape[-1] // self.order, 1)
        response = f.sub_(mean[:, None, None]).abs_() @ fields
        return pixel_shuffle(response.permute(1, 4, 0, 2, 3).flatten(1, 2), 2)

    def decode(self, latent: Latent) -> Float[Tensor, "B C N N"]:
        """The image of a code at a pose."""
        image, whole, pose = self.up(latent.code), self.whole(), latent.index.pose
        return by_field(self.image, image, lambda part, _: transported(whole, pose, part))

    def forward(self, x: Float[Tensor, "B C N N"]) -> Float[Tensor, "B C N N"]:
        """The reconstruction."""
        return self.decode(self.encode(x))


def subgroups(group: Group, levels: int) -> list[Group]:
    """Turns and flips that are left after each level: all, at the last but one half turns in place of quarter turns."""
    halved: dict[Group, Group] = {Cyclic(4): Cyclic(2), Dihedral(4): Dihedral(2)}
    return [group] * (levels - 2) + [halved.get(group, group), Cyclic(1)]
