"""Relaxed group convolution: filters of an exact group convolution, weighted differently for each element.

Legend of axes: `L` banks, `G` elements of the group, `k` pixels along an axis.
"""

from __future__ import annotations

from typing import cast, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym.equivariant import Constant, FieldType, GroupConv2d
from learnsym.relax._relaxed_conv import RelaxedConv
from learnsym.representations import Regular


@final
class RelaxedGroupConv2d(RelaxedConv):
    """A group convolution on the pixel lattice whose filters get another weight for each element of the group.

        k(g, h, u) = 1/L Σ_l w_l(g) ψ_l(g^-1 h, g^-1 u)

    `g` is the element of a regular output channel, `h` that of a regular input channel. Weights `w_l(g)` start at 1: an
    exact layer. They are shared by all fields. To trivial output fields, which have no `g`, the weight is `w_l(h)`;
    between trivial fields it is the mean of `w_l`.

    Reference: Wang, Walters, Yu, "Approximately equivariant networks for imperfectly symmetric dynamics" (2022),
    arXiv 2201.11969.

    Args:
        in_type, out_type: trivial and regular fields of C_1, C_2, C_4, D_1, D_2 or D_4.
        kernel_size: pixels along an axis.
        banks: number `L` of exact filters that are mixed; with 1 the elements can differ by a factor alone.
        stride, padding, bias, padding_mode: as in `GroupConv2d`.

    Raises:
        ValueError: without banks, for fields that are neither trivial nor regular, or without any regular field.

    Example:
        >>> group = ls.groups.Cyclic(4)
        >>> image, fields = ls.equivariant.FieldType.trivial(group, 1), ls.equivariant.FieldType.regular(group, 2)
        >>> layer = ls.relax.RelaxedGroupConv2d(image, fields, 3, banks=3)
        >>> bool(layer.distance() < 1e-6)
        True
        >>> with torch.no_grad(): _ = layer.weights[0, 1].mul_(2.0)
        >>> print(layer.degrees("layer:0")[1])
        layer:0: C_4 rotation by 90 0.93 (task, relaxed group convolution)...
    """

    def __init__(
        self,
        in_type: FieldType,
        out_type: FieldType,
        kernel_size: int,
        *,
        banks: int = 2,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        check_banks(banks)
        super().__init__(
            [
                GroupConv2d(
                    in_type,
                    out_type,
                    kernel_size,
                    stride=stride,
                    padding=padding,
                    bias=bias and bank == 0,
                    padding_mode=padding_mode,
                )
                for bank in range(banks)
            ]
        )
        order = len(in_type.group.components)
        self.weights = nn.Parameter(torch.ones(banks, order))
        self.element = Constant(_elements_of_blocks(in_type, out_type))

    @property
    def method(self) -> str:
        """Name of the method in degrees."""
        return "relaxed group convolution"

    def kernel(self) -> Float[Tensor, "c_out c_in k k"]:
        """The kernel as an ordinary convolution has it."""
        kernels = torch.stack([cast("GroupConv2d", bank).kernel() for bank in self.banks])
        w = torch.cat([self.weights, self.weights.mean(1, keepdim=True)], 1)
        return (w[:, self.element()][..., None, None] * kernels).mean(0)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The weights of each element."""
        return [self.weights]

    def penalty(self) -> Float[Tensor, ""]:
        """`Σ_l Σ_{g,h} |w_l(g) - w_l(h)|` over pairs of elements, each once."""
        w = self.weights
        return (w[:, :, None] - w[:, None, :]).abs().sum() / 2


def _elements_of_blocks(in_type: FieldType, out_type: FieldType) -> Int[Tensor, "c_out c_in"]:
    """Which element weighs each entry of the kernel: that of the output, else of the input, else `G` for the mean."""
    order = len(in_type.group.components)
    out, into = _elements(out_type), _elements(in_type)
    if not bool((out < order).any() | (into < order).any()):
        raise ValueError(f"out_type: got {out_type} from {in_type}, must have a regular field to relax; add one")
    return torch.where(out[:, None] < order, out[:, None], into[None, :])


def _elements(field_type: FieldType) -> Int[Tensor, "c"]:
    """The element of each channel, the order of the group for trivial fields."""
    regular, elements = Regular(field_type.group), []
    for representation, count in field_type.parts:
        if representation == regular:
            elements.append(torch.arange(representation.size).repeat(count))
        elif representation.is_trivial:
            elements.append(torch.full((count,), regular.size))
        else:
            raise ValueError(f"in_type, out_type: got {representation!r}, must be trivial or regular fields")
    return torch.cat(elements)


def check_banks(banks: int) -> None:
    """Raise ValueError for fewer than one bank."""
    if banks < 1:
        raise ValueError(f"banks: got {banks}, must be at least 1; 2 to 5 are usual")
