"""Partial group convolution: an exact convolution of a feature map that was restricted to a learned part of the group.

Legend of axes: `o`, `i` channels out and in, `*S` pixels of the kernel.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.equivariant import Constant, FieldType, GroupConv2d, SteerableConv
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.projection import relative_distance
from learnsym.relax.partial.arc import LearnedArc
from learnsym.relax.partial.elements import LearnedElements
from learnsym.relax.partial.range import PartialRange, fields, pointwise, restricted
from learnsym.representations import turns


@final
class PartialGroupConv(nn.Module):
    """A group convolution over a learned part of the group: the layer before has values there alone.

        y(g) = ∫_S ψ(g^-1 h) f(h) p(h) dh

    `S` is the learned range of the feature map that comes in. That of the outcome is learned by the layer that takes
    it: the next `PartialGroupConv`, or `PartialMean` at the end.

    Reference: Romero, Lohit, "Learning partial equivariances from data" (2022), arXiv 2110.10211.

    Args:
        conv: an exact convolution of Fourier fields of SO(2), or of regular fields of C_N or D_N.
        learned: the part of the group; by default `LearnedArc` for SO(2) and C_N, `LearnedElements` for D_N.

    Raises:
        ValueError: when the part is one of other fields than the convolution takes.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(8), 4)
        >>> layer = ls.relax.PartialGroupConv(ls.equivariant.SteerableConv(fields, fields, 5, padding=2))
        >>> layer(torch.rand(1, 32, 9, 9)).shape
        torch.Size([1, 32, 9, 9])
    """

    answers_for = ("learned",)

    def __init__(self, conv: SteerableConv | GroupConv2d, learned: PartialRange | None = None) -> None:
        super().__init__()
        self.learned = default_range(conv.in_type) if learned is None else learned
        if self.learned.field_type != conv.in_type:
            raise ValueError(f"learned: is a part of {self.learned.field_type}, must be one of {conv.in_type}")
        self.conv = conv

    @property
    def in_type(self) -> FieldType:
        """Fields of the input."""
        return self.conv.in_type

    @property
    def out_type(self) -> FieldType:
        """Fields of the output."""
        return self.conv.out_type

    def forward(self, x: Float[Tensor, "B c_in H W"]) -> Float[Tensor, "B c_out H_out W_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        window = self.learned.drawn_window() if self.training else self.learned.window()
        return self.conv.applied(x, self._kernel(window))

    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The kernel as an ordinary convolution has it, the restriction included."""
        return self._kernel(self.learned.window())

    def _kernel(self, window: Tensor) -> Tensor:
        # the restriction acts on the inputs, cheaper on the kernel: k M = (M^T k^T)^T
        kernel = self.conv.kernel()
        return restricted(self.in_type, window.mT.to(kernel.dtype), kernel)

    def plain(self) -> nn.Module:
        """An ordinary convolution with the same kernel."""
        plain = self.conv.plain()
        assert isinstance(plain, nn.Conv2d)
        with torch.no_grad():
            plain.weight.copy_(self.kernel())
        return plain

    def exact(self) -> SteerableConv | GroupConv2d:
        """The convolution over the whole group: the mean over the group of a density is 1."""
        return self.conv

    def distance(self) -> Float[Tensor, ""]:
        """`|k - P k| / |k|`, with the kernel `P k` over the whole group; differentiable."""
        return relative_distance(self.kernel(), self.conv.kernel())

    def degrees(self, site: str) -> list[Degree]:
        """The learned part of the group."""
        return self.learned.degrees(site)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """Those of the learned part."""
        return self.learned.symmetry_parameters()


@final
class PartialMean(nn.Module):
    """The mean of each field over a learned part of the group: `y = ∫_S f(h) p(h) dh`, one channel for each field.

    Over the whole group it is invariant.

    Args:
        field_type: Fourier fields of SO(2), or regular fields of C_N or D_N.
        learned: the part of the group, as for `PartialGroupConv`.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(8), 4)
        >>> ls.relax.PartialMean(fields)(torch.rand(1, 32, 9, 9)).shape
        torch.Size([1, 4, 9, 9])
    """

    answers_for = ("learned",)

    def __init__(self, field_type: FieldType, learned: PartialRange | None = None) -> None:
        super().__init__()
        self.learned = default_range(field_type) if learned is None else learned
        self.mean = GroupMean(field_type)

    def forward(self, x: Float[Tensor, "B c *S"]) -> Float[Tensor, "B m *S"]:
        """The means."""
        return self.mean(self.learned(x))

    def plain(self) -> nn.Module:
        """An ordinary convolution over one pixel."""
        return pointwise(self._matrix())

    def exact(self) -> nn.Module:
        """The mean over the whole group."""
        return self.mean

    def distance(self) -> Float[Tensor, ""]:
        """`|k - P k| / |k|` of the linear map; differentiable."""
        return relative_distance(self._matrix(), self.mean.matrix())

    def degrees(self, site: str) -> list[Degree]:
        """The learned part of the group."""
        return self.learned.degrees(site)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """Those of the learned part."""
        return self.learned.symmetry_parameters()

    def _matrix(self) -> Float[Tensor, "m c"]:
        return self.mean.matrix() @ self.learned.matrix()


@final
class GroupMean(nn.Module):
    """The mean over the group of each field: of values, or the coefficient of frequency 0."""

    def __init__(self, field_type: FieldType) -> None:
        super().__init__()
        of_fields = fields(field_type, torch.eye(field_type.size, dtype=torch.float64))
        means = of_fields.mean(2) if field_type.group.order else of_fields[:, :, 0]
        self.field_type, self.matrix = field_type, Constant(means.mT)

    def forward(self, x: Float[Tensor, "B c *S"]) -> Float[Tensor, "B m *S"]:
        """The means."""
        check_channels(self.field_type, x)
        return torch.einsum("mc,bc...->bm...", self.matrix().to(x.dtype), x)

    def plain(self) -> nn.Module:
        """An ordinary convolution over one pixel."""
        return pointwise(self.matrix())


def default_range(field_type: FieldType) -> PartialRange:
    """An arc of rotations where the group is connected or cyclic, a set of elements else."""
    group = field_type.group
    is_cyclic = group.order is None or turns(group) == group.order
    return LearnedArc(field_type) if is_cyclic else LearnedElements(field_type)
