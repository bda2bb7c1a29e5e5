"""Group convolution on the pixel lattice: the ordinary kernel is a gather of free weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.lattice.orbits import check_lattice, component_orbits, gathered, kernel_orbits, orbit_means
from learnsym.equivariant.steerable.conv import check_pair, convolve, plain_convolution


class GroupConv2d(ExactLayer):
    """A convolution of images whose free weights are moved by the group: `k(h, g, u) = w(h^-1 g, h^-1 u)`.

    For C_1, C_2, C_4, D_1, D_2, D_4, whose elements map pixels to pixels, and trivial, regular and quotient fields.
    All kernels of the size that commute with the group, none left out: one free weight for each orbit of entries of
    the kernel, see `kernel_orbits`, and one bias for each field. Exact for every element of the group, also at a stride
    when the input size allows it (`measure.exact_sizes`); for C_1 it is `nn.Conv2d`. Weights start with a variance that
    keeps the one of the input.

    Args:
        in_type: fields of the input, channels `(B, in_type.size, H, W)`.
        out_type: fields of the output, of the same group.
        kernel_size: pixels along an axis.
        stride, padding: as in `nn.Conv2d`.
        bias: one constant for each field of the output.
        padding_mode: `zeros` or `circular`.

    Raises:
        ValueError: for types of different groups, and groups or fields that do not permute; `SteerableConv` takes them.

    Reference: Cohen, Welling, "Group equivariant convolutional networks" (2016), arXiv 1602.07576.

    Example:
        >>> group = ls.groups.Dihedral(4)
        >>> image, fields = ls.equivariant.FieldType.trivial(group, 3), ls.equivariant.FieldType.regular(group, 2)
        >>> ls.equivariant.GroupConv2d(image, fields, 3, padding=1)(torch.rand(1, 3, 9, 9)).shape
        torch.Size([1, 16, 9, 9])
    """

    def __init__(
        self,
        in_type: FieldType,
        out_type: FieldType,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        check_lattice(in_type.group)
        check_pair(in_type, out_type, kernel_size)
        self.in_type, self.out_type = in_type, out_type
        self.kernel_size, self.padding_mode = kernel_size, padding_mode
        self.options: dict[str, Any] = {"stride": stride, "padding": padding}
        self.weights, self.orbits = nn.ParameterDict(), nn.ModuleDict()
        for o, (target, out_count) in enumerate(out_type.parts):
            for i, (source, in_count) in enumerate(in_type.parts):
                self._add_block(f"{o}-{i}", kernel_orbits(source, target, kernel_size), out_count, in_count)
        self.bias_orbits = Constant(channel_orbits(out_type))
        self.bias = nn.Parameter(torch.zeros(int(self.bias_orbits().max()) + 1)) if bias else None
        self.reset_parameters()

    def _add_block(self, name: str, orbits: Tensor, out_count: int, in_count: int) -> None:
        self.orbits[name] = Constant(orbits)
        self.weights[name] = nn.Parameter(torch.empty(out_count, in_count, int(orbits.max()) + 1))

    def reset_parameters(self) -> None:
        """Weights anew, normal with variance `1 / (c_in k²)`; no bias."""
        for weight in self.weights.values():
            nn.init.normal_(weight, std=(self.in_type.size * self.kernel_size**2) ** -0.5)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    @property
    def pixels(self) -> tuple[int, ...]:
        """The pixel axes of the kernel."""
        return self.kernel_size, self.kernel_size

    def block(self, name: str, weight: Tensor) -> Tensor:
        """Each entry has the weight of its orbit."""
        return gathered(weight, self.orbits[name]())

    def coordinates(self, name: str, block: Tensor) -> Tensor:
        """The mean of each orbit."""
        return orbit_means(block, self.orbits[name](), self.weights[name].shape[-1])

    def channel_bias(self) -> Tensor | None:
        """The constant of each channel."""
        return None if self.bias is None else self.bias[self.bias_orbits()]

    def set_bias(self, bias: Tensor) -> None:
        """Take the mean of given constants over each orbit."""
        if self.bias is not None:
            index = self.bias_orbits()
            sums = torch.zeros_like(self.bias).index_add(0, index, bias)
            with torch.no_grad():
                self.bias.copy_(sums / torch.bincount(index).to(sums))

    def applied(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The convolution with a given kernel and the bias of the layer."""
        return convolve(x, kernel, self.channel_bias(), self.padding_mode, self.options)

    def plain(self) -> nn.Module:
        """An ordinary convolution with the same kernel: the same function, no longer bound to be equivariant."""
        return plain_convolution(self.kernel(), self.channel_bias(), self.padding_mode, self.options)

    def extra_repr(self) -> str:
        """Types and size."""
        shown = "".join(f", {name}={value}" for name, value in self.options.items() if value != (name == "stride"))
        return f"{self.in_type} -> {self.out_type}, kernel_size={self.kernel_size}{shown}"


def channel_orbits(field_type: FieldType) -> Tensor:
    """For each channel the number of the constant that it has: one constant for each orbit in each field."""
    numbers, start = [], 0
    for representation, count in field_type.parts:
        orbits = component_orbits(representation)
        size = int(orbits.max()) + 1
        numbers.append((start + size * torch.arange(count)[:, None] + orbits).flatten())
        start += size * count
    return torch.cat(numbers)
