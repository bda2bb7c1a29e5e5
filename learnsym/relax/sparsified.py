"""Sparsified layers: weights on a grid are interpolated from fewer anchors.

Legend of axes: `c` channels in, `d` channels out, `X`, `Y` pixels in and out, `J` anchors.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.relax.factored import FactoredMap, dense, factored, plain_factored
from learnsym.relax.grid_maps import (
    ConvMap,
    Grid,
    around,
    check_grid,
    checked_kernel,
    convolved,
    described,
    grids,
    periodic_convolution,
    plain_conv,
    translation_degrees,
    translation_distance,
    unrolled,
)
from learnsym.relax.interpolation import Interpolation
from learnsym.relax.polyphase import polyphase


class SparsifiedMap(nn.Module):
    """A factored map whose patterns are interpolated from anchors, S-FC: `U = u ψ_X`, `V = v ψ_Y`, see `Interpolation`.

    Reference: van der Ouderaa, Immer, van der Wilk, "Learning layer-wise equivariances automatically using gradients"
    (2023), arXiv 2310.06131; our initial weights are independent at the anchors.

    Args:
        in_channels, out_channels: `c` and `d`.
        size: height and width of the input.
        stride: of the output grid, which has `size / stride` pixels.
        share: anchors for each pixel.
        bandwidth, learned_bandwidth: `ω`, and whether it is learned, one for each grid.
        seed: of the anchors.

    Raises:
        ValueError: as `Interpolation`, or when the stride does not divide the size.

    Example:
        >>> layer = ls.relax.SparsifiedMap(3, 4, 8, stride=2)
        >>> layer(torch.rand(2, 3, 8, 8)).shape, sum(p.numel() for p in layer.parameters())
        (torch.Size([2, 4, 4, 4]), 484)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int | Grid,
        *,
        stride: int = 1,
        share: float = 0.5,
        bandwidth: float = 1.0,
        learned_bandwidth: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.size, self.out_size = grids(size, stride)
        self.over_input = Interpolation(self.size, share, bandwidth, learned_bandwidth, seed)
        self.over_output = Interpolation(self.out_size, share, bandwidth, learned_bandwidth, seed + 1)
        self.reading = nn.Parameter(torch.empty(in_channels, out_channels, self.over_input.count))
        self.writing = nn.Parameter(torch.empty(out_channels, in_channels, self.over_output.count))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self, gain: float = 1.0) -> None:
        """Values at the anchors anew, normal with variances `1 / X` of `u` and `gain² / c` of `v`; no bias."""
        nn.init.normal_(self.reading, std=math.prod(self.size) ** -0.5)
        nn.init.normal_(self.writing, std=gain * self.in_channels**-0.5)
        nn.init.zeros_(self.bias)

    @classmethod
    def reduced(cls, layer: FactoredMap, share: float = 0.5, seed: int = 0) -> SparsifiedMap:
        """The layer with anchors that is nearest to a factored one, pattern by pattern; its pixel bias is averaged."""
        sparse = cls(layer.in_channels, layer.out_channels, layer.size, stride=layer.stride, share=share, seed=seed).to(
            layer.reading
        )
        with torch.no_grad():
            sparse.reading.copy_(sparse.over_input.reduce(layer.reading.transpose(1, 2)))
            sparse.writing.copy_(sparse.over_output.reduce(layer.writing))
            sparse.bias.copy_(layer.constant().mean(1))
        return sparse

    def patterns(self) -> tuple[Float[Tensor, "c X d"], Float[Tensor, "d c Y"]]:
        """What is read and written, at all pixels."""
        return (self.reading @ self.over_input()).transpose(1, 2), self.writing @ self.over_output()

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B d H_out W_out"]:
        """The images of the output."""
        check_grid(self.in_channels, self.size, x)
        return factored(x, *self.patterns(), self.constant()).unflatten(2, self.out_size)

    def constant(self) -> Float[Tensor, "d Y"]:
        """The bias of each output pixel."""
        return self.bias[:, None].expand(-1, math.prod(self.out_size))

    def matrix(self) -> Float[Tensor, "d c Y X"]:
        """The map as a dense array."""
        return dense(*self.patterns())

    def energy(self) -> Float[Tensor, ""]:
        """The negative log density of values at the anchors of variances `1 / X` and `1 / c`."""
        reading, writing = self.reading.square().sum(), self.writing.square().sum()
        return 0.5 * (math.prod(self.size) * reading + self.in_channels * writing)

    def plain(self) -> nn.Module:
        """Two grouped convolutions of plain torch, with the interpolated weights."""
        return plain_factored(*self.patterns(), self.constant(), self.size, self.out_size)

    def exact(self) -> nn.Module:
        """The nearest map that commutes with translations by the stride: a convolution as large as the image."""
        return periodic_convolution(self)

    def distance(self) -> Float[Tensor, ""]:
        """What the mean over translations removes of the dense array: `|Θ - P Θ| / |Θ|`."""
        return translation_distance(self)

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm that commutes with translations by the stride: `|P Θ|² / |Θ|²`."""
        return translation_degrees(site, self, "sparsified map")

    def extra_repr(self) -> str:
        """Channels, sizes, anchors."""
        return f"{described(self)}, anchors={self.over_input.count}, {self.over_output.count}"


class SparsifiedConv(nn.Module):
    """A periodic convolution whose kernel is interpolated from anchors, S-CONV: `k = u ψ`; exact for all translations.

    Reference: van der Ouderaa, Immer, van der Wilk (2023), arXiv 2310.06131.

    Args:
        in_channels, out_channels: `c` and `d`.
        size: height and width of the input.
        stride: 1 or more, must divide the size; sampled as by `ConvMap`.
        kernel_size: odd.
        share: anchors for each pixel of the kernel.
        bandwidth, learned_bandwidth: `ω`, and whether it is learned.
        seed: of the anchors.

    Raises:
        ValueError: as `Interpolation` and `ConvMap`.

    Example:
        >>> layer = ls.relax.SparsifiedConv(3, 4, 8)
        >>> layer(torch.rand(2, 3, 8, 8)).shape, sum(p.numel() for p in layer.parameters())
        (torch.Size([2, 4, 8, 8]), 88)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int | Grid,
        *,
        stride: int = 1,
        kernel_size: int = 3,
        share: float = 0.8,
        bandwidth: float = 1.0,
        learned_bandwidth: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.size, self.out_size = grids(size, stride)
        self.kernel_size = checked_kernel(kernel_size, self.size)
        self.over_kernel = Interpolation((kernel_size, kernel_size), share, bandwidth, learned_bandwidth, seed)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, self.over_kernel.count))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self, gain: float = 1.0) -> None:
        """Values at the anchors anew, normal with variance `gain² / (c k²)`; no bias."""
        nn.init.normal_(self.weight, std=gain / (self.in_channels**0.5 * self.kernel_size))
        nn.init.zeros_(self.bias)

    @classmethod
    def reduced(cls, layer: ConvMap, share: float = 0.8, seed: int = 0) -> SparsifiedConv:
        """The layer with anchors whose kernel is nearest to that of a convolution."""
        sparse = cls(
            layer.in_channels,
            layer.out_channels,
            layer.size,
            stride=layer.stride,
            kernel_size=layer.kernel_size,
            share=share,
            seed=seed,
        ).to(layer.weight)
        with torch.no_grad():
            sparse.weight.copy_(sparse.over_kernel.reduce(layer.kernel().flatten(2)))
            sparse.bias.copy_(layer.bias)
        return sparse

    def kernel(self) -> Float[Tensor, "d c k k"]:
        """The interpolated kernel."""
        return (self.weight @ self.over_kernel()).unflatten(2, (self.kernel_size, self.kernel_size))

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B d H_out W_out"]:
        """The images of the output."""
        check_grid(self.in_channels, self.size, x)
        return polyphase(convolved(x, self.kernel(), self.bias), self.stride)

    def matrix(self) -> Float[Tensor, "d c Y X"]:
        """The map as a dense array, sampled at the first of every `stride` pixels."""
        return unrolled(around(self.kernel(), self.size), self.stride)

    def constant(self) -> Float[Tensor, "d Y"]:
        """The bias of each output pixel."""
        return self.bias[:, None].expand(-1, math.prod(self.out_size))

    def energy(self) -> Float[Tensor, ""]:
        """The negative log density of values at the anchors of variance `1 / (c k²)`."""
        return 0.5 * self.in_channels * self.kernel_size**2 * self.weight.square().sum()

    def plain(self) -> nn.Module:
        """`nn.Conv2d` with circular padding, then, at a stride, a traced program of torch that samples."""
        return plain_conv(self.kernel(), self.bias, self.stride)

    def exact(self) -> nn.Module:
        """The layer itself: it is exact."""
        return self

    def extra_repr(self) -> str:
        """Channels, sizes, anchors."""
        return f"{described(self)}, kernel_size={self.kernel_size}, anchors={self.over_kernel.count}"
