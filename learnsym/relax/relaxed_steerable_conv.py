"""Relaxed steerable convolution: the weight of each basis kernel may vary from pixel to pixel of the kernel.

Legend of axes: `L` banks, `K` basis kernels, `*S` pixels or voxels of the kernel.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from learnsym.equivariant import Constant, FieldType, SteerableConv
from learnsym.equivariant.exact_layer import joined
from learnsym.equivariant.steerable.conv import expanded
from learnsym.equivariant.steerable.scalar_basis import positions
from learnsym.relax._relaxed_conv import RelaxedConv
from learnsym.relax.relaxed_group_conv import check_banks


@final
class RelaxedSteerableConv(RelaxedConv):
    """A steerable convolution whose basis kernels are weighted differently at each pixel of the kernel.

        k(u) = 1/L Σ_l Σ_K c_lK w_lK(u) b_K(u)

    with the steerable basis `b_K` and coefficients `c_lK`, one for each pair of fields. Weights `w_lK(u)` start at 1:
    an exact layer. All fields of a block share them, and the sum over banks gives them rank `L` across fields, which
    keeps the layer near `L` times the weights of an exact one. A layer is exact as long as weights are equal at equal
    radius. What no basis kernel reaches cannot be relaxed: at the centre pixel a kernel stays as the group wants it.

    Reference: Wang, Walters, Yu, "Approximately equivariant networks for imperfectly symmetric dynamics" (2022),
    arXiv 2201.11969, where `w` has full rank.

    Args:
        in_type, out_type: fields, as for `SteerableConv`.
        kernel_size: pixels along an axis.
        banks: number `L` of exact kernels that are mixed.
        stride, padding, dilation, bias, band_limit, padding_mode: as in `SteerableConv`.

    Raises:
        ValueError: without banks, or as `SteerableConv` does.

    Example:
        >>> group = ls.groups.SO2()
        >>> image = ls.equivariant.FieldType.trivial(group, 1)
        >>> fields = ls.equivariant.FieldType.all_irreps(group, 2, band_limit=2)
        >>> layer = ls.relax.RelaxedSteerableConv(image, fields, 5, banks=2)
        >>> layer(torch.rand(1, 1, 9, 9)).shape, bool(layer.distance() < 1e-5)
        (torch.Size([1, 10, 5, 5]), True)
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
        dilation: int = 1,
        bias: bool = True,
        band_limit: int | None = None,
        padding_mode: str = "zeros",
    ) -> None:
        check_banks(banks)
        super().__init__(
            [
                SteerableConv(
                    in_type,
                    out_type,
                    kernel_size,
                    stride=stride,
                    padding=padding,
                    dilation=dilation,
                    bias=bias and bank == 0,
                    band_limit=band_limit,
                    padding_mode=padding_mode,
                )
                for bank in range(banks)
            ]
        )
        self.weights = nn.ParameterDict(
            {
                name: nn.Parameter(torch.ones(banks, *_pixels(basis)))
                for name, basis in cast("SteerableConv", self.first).bases.items()
            }
        )
        self.same_radius = Constant(same_radius(kernel_size, in_type.group.n))

    @property
    def method(self) -> str:
        """Name of the method in degrees."""
        return "relaxed steerable convolution"

    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The kernel as an ordinary convolution has it."""
        return joined(self.in_type, self.out_type, {name: self._block(name) for name in self.weights})

    def _block(self, name: str) -> Tensor:
        parts: Any = [(bank.weights[name], bank.bases[name]()) for bank in self.banks]  # type: ignore[index, operator]
        weighted = torch.cat(
            [basis * (w / len(parts))[:, None, None] for (_, basis), w in zip(parts, self.weights[name], strict=True)]
        )
        return expanded(torch.cat([c for c, _ in parts], 2), weighted)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The weights of each pixel."""
        return list(self.weights.values())

    def penalty(self) -> Float[Tensor, ""]:
        """`Σ_lK Σ_{u,v} |w_lK(u) - w_lK(v)|` over pairs of pixels at the same radius, each once."""
        w = torch.cat([weight.flatten(0, 1).flatten(1) for weight in self.weights.values()])
        differences = (w[:, :, None] - w[:, None, :]).abs()
        return (differences * self.same_radius().to(w)).sum() / 2


def _pixels(basis: nn.Module) -> list[int]:
    values = basis()
    return [len(values), *values.shape[3:]]


@lru_cache
def same_radius(kernel_size: int, dim: int) -> Bool[Tensor, "n n"]:
    """Which of the `n` pixels of a kernel are as far from its centre as one another."""
    squared = positions(kernel_size, dim).square().sum(-1).flatten()
    return (squared[:, None] - squared).abs() < 1e-6
