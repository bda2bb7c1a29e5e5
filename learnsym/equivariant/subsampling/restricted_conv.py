"""Group convolutions from or to a coarser plane group, at the coset of the identity: nothing is computed in vain.

Legend of axes: `o`, `i` fields out and in, `G`, `K` elements of the finer and the coarser group, `k` pixels of a
kernel, `B` batch, `H W` pixels, `h w` pixels of the coarser grid.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.lattice.conv import GroupConv2d
from learnsym.equivariant.subsampling.fields import check_image, coarser, is_regular
from learnsym.equivariant.subsampling.subsample import CosetTables
from learnsym.groups import Group


class RestrictedConv2d(nn.Module):
    """A group convolution of which only the outputs on `K = (sZ)² ⋊ K_0` are computed: a strided ordinary one.

    The same as `GroupConv2d` with circular padding, then `EquivariantSubsample2d` at the pose of the identity. Once
    features have been moved to the pose that `EquivariantSubsample2d.index` finds, this is all that further levels are.

    Args:
        in_type: fields of the finer group.
        out_type: fields of the finer group before they are restricted.
        kernel_size: an odd number of pixels.
        stride: `s`.
        subgroup: `K_0`; all turns and flips when None.

    Raises:
        ValueError: for an even kernel, or types that `GroupConv2d` does not join.
    """

    def __init__(
        self, in_type: FieldType, out_type: FieldType, kernel_size: int, stride: int, *, subgroup: Group | None = None
    ) -> None:
        super().__init__()
        check_odd(kernel_size)
        subgroup = out_type.group if subgroup is None else subgroup
        self.conv = GroupConv2d(in_type, out_type, kernel_size, padding=kernel_size // 2, padding_mode="circular")
        self.tables = CosetTables(out_type.group, subgroup, stride)
        self.in_type, self.out_type, self.stride = in_type, coarser(out_type, subgroup), stride

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B d h w"]:
        """The fields of the coarser group."""
        check_image(self.in_type, x, self.stride)
        kept = kept_channels(self.conv.out_type, self.tables().members[0])
        kernel, bias = self.conv.kernel()[kept].to(x.dtype), self.conv.channel_bias()
        around = nn.functional.pad(x, [kernel.shape[-1] // 2] * 4, mode="circular")
        return nn.functional.conv2d(around, kernel, None if bias is None else bias[kept].to(x.dtype), self.stride)


class ExtendedConv2d(nn.Module):
    """A group convolution of features that are 0 off `K = (sZ)² ⋊ K_0`: an ordinary transposed one.

    The same as `EquivariantUpsample2d` at the pose of the identity, then `GroupConv2d` with circular padding. Weights
    start with a variance that keeps the one of the input after a ReLU, given that most of what it reads is 0.

    Args:
        in_type: fields of the finer group after they are extended.
        out_type: fields of the finer group.
        kernel_size: an odd number of pixels.
        stride: `s`.
        subgroup: `K_0`, the group of the input; all turns and flips when None.

    Raises:
        ValueError: for an even kernel, or types that `GroupConv2d` does not join.
    """

    def __init__(
        self, in_type: FieldType, out_type: FieldType, kernel_size: int, stride: int, *, subgroup: Group | None = None
    ) -> None:
        super().__init__()
        check_odd(kernel_size)
        subgroup = in_type.group if subgroup is None else subgroup
        self.conv = GroupConv2d(in_type, out_type, kernel_size, padding=kernel_size // 2, padding_mode="circular")
        self.tables = CosetTables(in_type.group, subgroup, stride)
        self.in_type, self.out_type, self.stride = coarser(in_type, subgroup), out_type, stride
        with torch.no_grad():
            for weight in self.conv.weights.values():
                weight *= stride * (in_type.size / self.in_type.size) ** 0.5

    def forward(self, y: Float[Tensor, "B d h w"]) -> Float[Tensor, "B c H W"]:
        """The fields of the finer group."""
        check_channels(self.in_type, y)
        kept = kept_channels(self.conv.in_type, self.tables().members[0])
        kernel, bias = self.conv.kernel()[:, kept].to(y.dtype), self.conv.channel_bias()
        s, reach = self.stride, kernel.shape[-1] // 2
        border = -(-reach // s)
        around = nn.functional.pad(y, [border] * 4, mode="circular")
        bias = None if bias is None else bias.to(y.dtype)
        mirrored = kernel.transpose(0, 1).flip(2, 3)
        return nn.functional.conv_transpose2d(around, mirrored, bias, s, border * s + reach, s - 1)


def kept_channels(field_type: FieldType, members: Tensor) -> Tensor:
    """The channels of the elements of a subgroup."""
    found = []
    for part, count, channels in field_type.sections():
        first = torch.arange(count, device=members.device)[:, None] * part.size + channels.start
        found.append((first + members if is_regular(part) else first).flatten())
    return torch.cat(found)


def check_odd(kernel_size: int) -> None:
    """Raise ValueError for kernels without a pixel in the middle."""
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size: got {kernel_size}, must be odd; take {kernel_size + 1}")
