"""What relaxed convolutions share: several exact convolutions, the banks, joined to one kernel that may break symmetry.

Legend of axes: `L` banks, `*S` pixels or voxels.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.equivariant import FieldType, GroupConv2d, SteerableConv, nearest_kernel, projected
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.projection import relative_distance
from learnsym.equivariant.steerable.conv import plain_convolution
from learnsym.relax._kernel_share import kernel_degrees

ExactConv = SteerableConv | GroupConv2d


class RelaxedConv(nn.Module, abc.ABC):
    """A convolution whose kernel joins those of exact ones, its banks, by weights that may tell elements apart.

    Kernels are means over banks, so that a step of an optimiser moves the kernel as it would move that of one bank;
    banks start `sqrt(L)` times larger for the same variance. The bias is that of the first bank and stays exact.
    """

    def __init__(self, banks: Sequence[ExactConv]) -> None:
        super().__init__()
        self.banks = nn.ModuleList(banks)
        with torch.no_grad():
            for weight in (weight for bank in banks for weight in bank.weights.values()):
                weight.mul_(len(banks) ** 0.5)

    @property
    def first(self) -> ExactConv:
        """The first bank, an exact convolution of the same types and options."""
        return cast("ExactConv", self.banks[0])

    @property
    def in_type(self) -> FieldType:
        """Fields of the input."""
        return self.first.in_type

    @property
    def out_type(self) -> FieldType:
        """Fields of the output."""
        return self.first.out_type

    @abc.abstractmethod
    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The kernel as an ordinary convolution has it."""

    @abc.abstractmethod
    def penalty(self) -> Float[Tensor, ""]:
        """How much the weights differ where symmetry wants them equal; 0 for an exact layer."""

    def channel_bias(self) -> Tensor | None:
        """The constant of each channel."""
        return self.first.channel_bias()

    def forward(self, x: Float[Tensor, "B c_in *S"]) -> Float[Tensor, "B c_out *S_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        return self.first.applied(x, self.kernel())

    def plain(self) -> nn.Module:
        """An ordinary convolution with the same kernel."""
        first = self.first
        return plain_convolution(self.kernel(), self.channel_bias(), first.padding_mode, first.options)

    def exact(self) -> ExactConv:
        """The exact convolution with the nearest kernel and the same bias."""
        return cast("ExactConv", projected(self.first, self.kernel(), self.channel_bias()))

    def distance(self) -> Float[Tensor, ""]:
        """`|k - P k| / |k|` with the nearest exact kernel `P k`; differentiable."""
        kernel = self.kernel()
        return relative_distance(kernel, nearest_kernel(self.first, kernel))

    def degrees(self, site: str) -> list[Degree]:
        """The exact share of the squared norm of the kernel: for the group, and for each quarter turn or flip."""
        return kernel_degrees(self.kernel(), self.first, site, self.method)

    @abc.abstractmethod
    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The weights that tell elements apart."""

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)

    @property
    @abc.abstractmethod
    def method(self) -> str:
        """Name of the method in degrees."""

    def extra_repr(self) -> str:
        """Number of banks."""
        return f"banks={len(self.banks)}"
