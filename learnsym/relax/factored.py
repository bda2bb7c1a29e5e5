"""Factored dense maps between grids, F-FC: one spatial pattern read and one written for each pair of channels.

Legend of axes: `B` batch, `c` channels in, `d` channels out, `X` pixels in, `Y` pixels out.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.relax.grid_maps import (
    Grid,
    check_grid,
    described,
    grids,
    periodic_convolution,
    translation_degrees,
    translation_distance,
)


class FactoredMap(nn.Module):
    """A dense map between grids of rank one in space for each pair of channels, F-FC: `Θ_dc(y, x) = V_dc(y) U_dc(x)`.

        s_dc = Σ_x U_dc(x) x_c(x),    y_d(y) = Σ_c V_dc(y) s_dc + a_d + b(y)

    `d c (X + Y)` weights instead of `d c X Y`, as two batched matrix products.

    Reference: van der Ouderaa, Immer, van der Wilk, "Learning layer-wise equivariances automatically using gradients"
    (2023), arXiv 2310.06131.

    Args:
        in_channels, out_channels: `c` and `d`.
        size: height and width of the input.
        stride: of the output grid, which has `size / stride` pixels.

    Raises:
        ValueError: when the stride does not divide the size.

    Example:
        >>> layer = ls.relax.FactoredMap(3, 4, 8, stride=2)
        >>> layer(torch.rand(2, 3, 8, 8)).shape, sum(p.numel() for p in layer.parameters())
        (torch.Size([2, 4, 4, 4]), 980)
    """

    def __init__(self, in_channels: int, out_channels: int, size: int | Grid, *, stride: int = 1) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.size, self.out_size = grids(size, stride)
        self.reading = nn.Parameter(torch.empty(in_channels, math.prod(self.size), out_channels))
        self.writing = nn.Parameter(torch.empty(out_channels, in_channels, math.prod(self.out_size)))
        self.channel_bias = nn.Parameter(torch.empty(out_channels))
        self.pixel_bias = nn.Parameter(torch.empty(math.prod(self.out_size)))
        self.reset_parameters()

    def reset_parameters(self, gain: float = 1.0) -> None:
        """Weights anew, normal with variances `1 / X` of `U` and `gain² / c` of `V`; no bias."""
        nn.init.normal_(self.reading, std=self.reading.shape[1] ** -0.5)
        nn.init.normal_(self.writing, std=gain * self.in_channels**-0.5)
        nn.init.zeros_(self.channel_bias)
        nn.init.zeros_(self.pixel_bias)

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B d H_out W_out"]:
        """The images of the output."""
        check_grid(self.in_channels, self.size, x)
        return factored(x, self.reading, self.writing, self.constant()).unflatten(2, self.out_size)

    def constant(self) -> Float[Tensor, "d Y"]:
        """The bias of each output pixel."""
        return self.channel_bias[:, None] + self.pixel_bias

    def matrix(self) -> Float[Tensor, "d c Y X"]:
        """The map as a dense array."""
        return dense(self.reading, self.writing)

    def energy(self) -> Float[Tensor, ""]:
        """The negative log density of weights of variances `1 / X` and `1 / c`."""
        return 0.5 * (
            self.reading.shape[1] * self.reading.square().sum() + self.in_channels * self.writing.square().sum()
        )

    def plain(self) -> nn.Module:
        """Two grouped convolutions of plain torch, with as many weights."""
        return plain_factored(self.reading, self.writing, self.constant(), self.size, self.out_size)

    def exact(self) -> nn.Module:
        """The nearest map that commutes with translations by the stride: a convolution as large as the image."""
        return periodic_convolution(self)

    def distance(self) -> Float[Tensor, ""]:
        """What the mean over translations removes of the dense array: `|Θ - P Θ| / |Θ|`."""
        return translation_distance(self)

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm that commutes with translations by the stride: `|P Θ|² / |Θ|²`."""
        return translation_degrees(site, self, "factored map")

    def extra_repr(self) -> str:
        """Channels, sizes."""
        return described(self)


def factored(
    x: Float[Tensor, "B c H W"],
    reading: Float[Tensor, "c X d"],
    writing: Float[Tensor, "d c Y"],
    bias: Float[Tensor, "d Y"],
) -> Tensor:
    """`y_bdy = Σ_c V_dcy Σ_x U_cxd x_bcx + bias_dy`, as two batched products: over `c`, then over `d`."""
    # s_cdb = Σ_x U_cxd x_bcx: examples last, for products of few rows and many columns, backward too
    read = torch.bmm(reading.mT, x.flatten(2).permute(1, 2, 0))
    # (s, 1) (V, bias): the bias costs no pass of its own over the output, forward or backward
    one_more, writing = (
        nn.functional.pad(read.permute(1, 2, 0), (0, 1), value=1.0),
        torch.cat([writing, bias[:, None]], 1),
    )
    return torch.bmm(one_more, writing).transpose(0, 1)


def dense(reading: Float[Tensor, "c X d"], writing: Float[Tensor, "d c Y"]) -> Float[Tensor, "d c Y X"]:
    """The dense array: `Θ_dc(y, x) = V_dc(y) U_dc(x)`."""
    return writing[..., None] * reading.permute(2, 0, 1)[:, :, None]


def plain_factored(
    reading: Float[Tensor, "c X d"], writing: Float[Tensor, "d c Y"], bias: Float[Tensor, "d Y"], size: Grid, out: Grid
) -> nn.Sequential:
    """Plain torch modules: a convolution as large as the image for each channel, one of 1 pixel for each output."""
    c, _, d = reading.shape
    read = nn.Conv2d(c, c * d, size, groups=c, bias=False).to(reading)
    write = nn.Conv2d(c * d, bias.numel(), 1, groups=d).to(writing)
    with torch.no_grad():
        read.weight.copy_(reading.transpose(1, 2).reshape(read.weight.shape))
        write.weight.copy_(writing.transpose(1, 2).reshape(write.weight.shape))
        write.bias.copy_(bias.flatten())  # pyright: ignore[reportOptionalMemberAccess]
    return nn.Sequential(read, nn.ChannelShuffle(c), write, nn.Flatten(), nn.Unflatten(1, (d, *out)))
