"""Group convolutions from or to a coarser plane group, at the coset of the identity: nothing is computed in vain.

Legend of axes: `o`, `i` fields out and in, `G`, `K` elements of the finer and the coarser group, `k` pixels of a
kernel, `B` batch, `H W` pixels, `h w` pixels of the coarser grid.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.exact_layer import joined
from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.lattice.conv import GroupConv2d
from learnsym.equivariant.lattice.orbits import gathered
from learnsym.equivariant.memory_order import around, channels_last
from learnsym.equivariant.steerable.conv import plain_convolution
from learnsym.equivariant.subsampling.cosets import cosets_of
from learnsym.equivariant.subsampling.fields import check_image, coarser, is_regular
from learnsym.groups import Group
from learnsym.representations import Representation

FEW = 8
"""Inputs for each output from which on the products are taken first."""


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
        self.in_type, self.out_type, self.stride = in_type, coarser(out_type, subgroup), stride
        members = cosets_of(out_type.group, subgroup, stride).members[0]
        self.orbits = nn.ModuleDict()
        for name, _, target, orbits in blocks(self.conv):
            self.orbits[name] = Constant(orbits[members] if is_regular(target) else orbits)
        self.bias_orbits = Constant(self.conv.bias_orbits()[kept_channels(out_type, members)])

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B d h w"]:
        """The fields of the coarser group."""
        check_image(self.in_type, x, self.stride)
        kernel, bias = self.kernel()
        if self.stride == 1 and FEW * len(kernel) <= kernel.shape[1]:
            return convolve_to_few(x, kernel.to(x.dtype), bias.to(x.dtype))
        x = around(channels_last(x), *self._border())
        return nn.functional.conv2d(x, channels_last(kernel.to(x.dtype)), bias.to(x.dtype), self.stride)

    def kernel(self) -> tuple[Float[Tensor, "d c k k"], Float[Tensor, "d"]]:
        """The kernel and the bias of the outputs that are kept."""
        assert self.conv.bias is not None
        found = {name: gathered(weight, self.orbits[name]()) for name, weight in self.conv.weights.items()}
        return joined(self.in_type, self.out_type, found), self.conv.bias[self.bias_orbits()]

    def plain(self) -> nn.Module:
        """An ordinary convolution that computes the same."""
        before, after = self._border()
        conv = plain_convolution(*self.kernel(), "zeros", {"stride": self.stride})
        return nn.Sequential(nn.CircularPad2d((before, after, before, after)), conv)

    def exact(self) -> RestrictedConv2d:
        """The layer itself: it is exact."""
        return self

    def _border(self) -> tuple[int, int]:
        """Pixels that wrap around before and after; the last kernels of a stride reach less far."""
        reach = self.conv.kernel_size // 2
        return reach, max(0, reach - self.stride + 1)


class ExtendedConv2d(nn.Module):
    """A group convolution of features that are 0 off `K = (sZ)² ⋊ K_0`: an ordinary transposed one.

    The same as `EquivariantUpsample2d` at the pose of the identity, then `GroupConv2d` with circular padding. Weights
    start with a variance that keeps the one of the input, although most of what the kernel reads is 0.

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
        self.in_type, self.out_type, self.stride = coarser(in_type, subgroup), out_type, stride
        members = cosets_of(in_type.group, subgroup, stride).members[0]
        self.orbits = nn.ModuleDict()
        for name, source, _, orbits in blocks(self.conv):
            kept = orbits[:, members] if is_regular(source) else orbits
            # a transposed convolution has its kernel turned, from output to input
            self.orbits[transposed(name)] = Constant(kept.transpose(0, 1).flip(2, 3).contiguous())
        with torch.no_grad():
            for weight in self.conv.weights.values():
                weight *= stride * (in_type.size / self.in_type.size) ** 0.5

    def forward(self, y: Float[Tensor, "B d h w"]) -> Float[Tensor, "B c H W"]:
        """The fields of the finer group."""
        check_channels(self.in_type, y)
        kernel, bias = self.kernel()
        border, padding = self._border()
        # channels last on every device, as the output is larger and what follows works on channels
        y = around(channels_last(y), border, border).movedim(1, -1).contiguous().movedim(-1, 1)
        return nn.functional.conv_transpose2d(
            y, kernel.to(y.dtype), bias.to(y.dtype), self.stride, padding, self.stride - 1
        )

    def kernel(self) -> tuple[Float[Tensor, "d c k k"], Float[Tensor, "c"]]:
        """The kernel and the bias of the transposed convolution."""
        bias = self.conv.channel_bias()
        assert bias is not None
        turned = {transposed(name): weight.transpose(0, 1) for name, weight in self.conv.weights.items()}
        found = {name: gathered(weight, self.orbits[name]()) for name, weight in turned.items()}
        return joined(self.out_type, self.in_type, found), bias

    def plain(self) -> nn.Module:
        """An ordinary transposed convolution, after circular padding, that computes the same."""
        (kernel, bias), (border, padding), s = self.kernel(), self._border(), self.stride
        size = kernel.shape[-1]
        conv = nn.ConvTranspose2d(kernel.shape[0], kernel.shape[1], size, s, padding, s - 1).to(kernel)
        with torch.no_grad():
            conv.weight.copy_(kernel)
            conv.bias.copy_(bias)  # pyright: ignore[reportOptionalMemberAccess]
        return nn.Sequential(nn.CircularPad2d(border), conv)

    def exact(self) -> ExtendedConv2d:
        """The layer itself: it is exact."""
        return self

    def _border(self) -> tuple[int, int]:
        """Pixels of the input that wrap around, and what they add to the output, which is cut off."""
        reach = self.conv.kernel_size // 2
        border = -(-reach // self.stride)
        return border, border * self.stride + reach


def convolve_to_few(
    x: Float[Tensor, "B c H W"], kernel: Float[Tensor, "d c k k"], bias: Float[Tensor, "d"]
) -> Float[Tensor, "B d H W"]:
    """A circular convolution to few channels: the products first, then the sum of their shifts.

    One product of matrices in place of a copy of all channels with a border and a convolution that is slow for few
    outputs.
    """
    (d, c, k, _), reach, (batch, _, *sides) = kernel.shape, kernel.shape[-1] // 2, x.shape
    # (k k d, c) (c, B H W): planes of one tap, which shift as a whole
    taps = kernel.permute(2, 3, 0, 1).reshape(k * k * d, c)
    products = (taps @ x.movedim(1, -1).flatten(0, 2).mT).unflatten(0, (k * k, d)).unflatten(2, (batch, *sides))
    shifts = [(reach - row, reach - column) for row in range(k) for column in range(k)]
    shifted = [tap.roll(shift, (2, 3)) for tap, shift in zip(products.unbind(0), shifts, strict=True)]
    return sum(shifted, bias[:, None, None, None]).transpose(0, 1)


def blocks(conv: GroupConv2d) -> Iterator[tuple[str, Representation, Representation, Tensor]]:
    """The name of each block of a group convolution, its source, its target and its orbits."""
    for o, (target, _) in enumerate(conv.out_type.parts):
        for i, (source, _) in enumerate(conv.in_type.parts):
            yield f"{o}-{i}", source, target, conv.orbits[f"{o}-{i}"]()


def transposed(name: str) -> str:
    """The name of a block that leads back."""
    return "-".join(reversed(name.split("-")))


def kept_channels(field_type: FieldType, members: Tensor) -> Tensor:
    """The channels of the elements of a subgroup."""
    by_section = []
    for part, count, channels in field_type.sections():
        first = torch.arange(count, device=members.device)[:, None] * part.size + channels.start
        by_section.append((first + members if is_regular(part) else first).flatten())
    return torch.cat(by_section)


def check_odd(kernel_size: int) -> None:
    """Raise ValueError for kernels without a pixel in the middle."""
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size: got {kernel_size}, must be odd; take {kernel_size + 1}")
