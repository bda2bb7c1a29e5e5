"""What exactly equivariant linear layers share: a kernel of blocks, one for each pair of representations.

Legend of axes: `o`, `i` fields out and in, `a`, `b` their components, `*S` pixels (none for a linear map).
"""

from __future__ import annotations

import abc
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.kept_kernel import KeptKernel
from learnsym.equivariant.memory_order import channels_last


class ExactLayer(nn.Module, abc.ABC):
    """A layer whose kernel is linear in its weights: block `o-i` leads from part `i` of the input to part `o`.

    A pair of representations without any equivariant kernel has no weights, and its block is 0.
    """

    in_type: FieldType
    out_type: FieldType
    weights: nn.ParameterDict

    def __init__(self) -> None:
        super().__init__()
        self.kept_kernel = KeptKernel()

    @property
    @abc.abstractmethod
    def pixels(self) -> tuple[int, ...]:
        """The pixel axes `*S` of the kernel."""

    @abc.abstractmethod
    def block(self, name: str, weight: Tensor) -> Tensor:
        """A block `(o a, i b, *S)` of the kernel from its weights `(o, i, K)`."""

    @abc.abstractmethod
    def coordinates(self, name: str, block: Tensor) -> Tensor:
        """The weights of the block nearest to a given one: a left inverse of `block`."""

    @abc.abstractmethod
    def channel_bias(self) -> Tensor | None:
        """The constant of each channel; None without bias."""

    @abc.abstractmethod
    def applied(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The outcome with another kernel, equivariant or not, and the bias of the layer."""

    @abc.abstractmethod
    def set_bias(self, bias: Tensor) -> None:
        """Take the constants nearest to those of each channel; nothing without bias."""

    @abc.abstractmethod
    def plain(self) -> nn.Module:
        """An ordinary layer with the same kernel: the same function, no longer bound to be equivariant."""

    def exact(self) -> ExactLayer:
        """The layer itself: it is exact."""
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Fields `(B, c_out, *S)` from fields `(B, c_in, *S)`."""
        check_channels(self.in_type, x)
        return self.applied(x, self.present_kernel())

    def present_kernel(self) -> Tensor:
        """The kernel of a forward pass: made anew in training, kept in evaluation; in what order of memory is open."""
        return self.kernel() if self.training else self.kept_kernel(self._laid_out, self.weights)

    def _laid_out(self) -> Tensor:
        return channels_last(self.kernel())

    def kernel(self) -> Tensor:
        """The kernel `(c_out, c_in, *S)` as an ordinary layer has it."""
        return self.kernel_of(dict(self.weights.items()))

    def kernel_of(self, weights: Mapping[str, Tensor]) -> Tensor:
        """The kernel that the layer would have with other weights."""
        return joined(self.in_type, self.out_type, {name: self.block(name, w) for name, w in weights.items()})


def joined(in_type: FieldType, out_type: FieldType, blocks: Mapping[str, Tensor]) -> Tensor:
    """The kernel `(c_out, c_in, *S)` of blocks `o-i`; 0 where there is none."""
    sizes = [representation.size * count for representation, count in in_type.parts]
    lines = []
    for o, (representation, count) in enumerate(out_type.parts):
        rows = representation.size * count
        line = [_block(blocks, f"{o}-{i}", rows, columns) for i, columns in enumerate(sizes)]
        # one part needs no copy
        lines.append(torch.cat(line, 1) if len(line) > 1 else line[0])
    return torch.cat(lines, 0) if len(lines) > 1 else lines[0]


def _block(blocks: Mapping[str, Tensor], name: str, rows: int, columns: int) -> Tensor:
    if name in blocks:
        return blocks[name]
    like = next(iter(blocks.values()))
    return like.new_zeros(rows, columns, *like.shape[2:])


def reset_by_block(weights: nn.ParameterDict) -> None:
    """Normal weights that keep the variance of the input, for basis kernels of norm `sqrt(a)`: blocks count alike."""
    for name, weight in weights.items():
        row = sum(other.startswith(f"{name.partition('-')[0]}-") for other in weights)
        nn.init.normal_(weight, std=(row * weight[0].numel()) ** -0.5)
