"""Linear maps from pixels to pixels: dense, convolutional, and what of a dense map commutes with translations.

Grids are periodic. Legend of axes: `B` batch, `c` channels in, `d` channels out, `X` pixels in, `Y` pixels out.
"""

from __future__ import annotations

import math
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.relax.polyphase import plain_polyphase, polyphase

Grid = tuple[int, int]


@runtime_checkable
class GridMap(Protocol):
    """A linear map of images of a fixed size, with a zero-mean Gaussian prior on its weights."""

    stride: int
    size: Grid

    def matrix(self) -> Tensor:
        """The map as a dense array `(d, c, Y, X)`."""
        ...

    def constant(self) -> Tensor:
        """Its bias `(d, Y)`."""
        ...

    def energy(self) -> Tensor:
        """`Σ w² / (2 σ²)`, with the `σ²` that keeps the variance of an input."""
        ...

    def reset_parameters(self, gain: float) -> None:
        """Weights anew."""
        ...


class DenseMap(nn.Module):
    """A free linear map between grids, FC: `y_d(u) = Σ_c Σ_x Θ_dc(u, x) x_c(x) + b_d(u)`.

    Reference: van der Ouderaa, Immer, van der Wilk, "Learning layer-wise equivariances automatically using gradients"
    (2023), arXiv 2310.06131.

    Args:
        in_channels, out_channels: `c` and `d`.
        size: height and width of the input.
        stride: of the output grid, which has `size / stride` pixels.

    Raises:
        ValueError: when the stride does not divide the size.

    Example:
        >>> ls.relax.DenseMap(3, 4, 8, stride=2)(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 4, 4, 4])
    """

    def __init__(self, in_channels: int, out_channels: int, size: int | Grid, *, stride: int = 1) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.size, self.out_size = grids(size, stride)
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(out_channels, math.prod(self.out_size), in_channels, *self.size))
        self.bias = nn.Parameter(torch.empty(out_channels, *self.out_size))
        self.reset_parameters()

    def reset_parameters(self, gain: float = 1.0) -> None:
        """Weights anew, normal with variance `gain² / (c X)`; no bias."""
        nn.init.normal_(self.weight, std=gain * self.weight[0, 0].numel() ** -0.5)
        nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B d H_out W_out"]:
        """The images of the output."""
        check_grid(self.in_channels, self.size, x)
        y = nn.functional.linear(x.flatten(1), self.weight.flatten(2).flatten(0, 1), self.bias.flatten())
        return y.unflatten(1, self.bias.shape)

    def matrix(self) -> Float[Tensor, "d c Y X"]:
        """The map as a dense array."""
        return self.weight.flatten(3).transpose(1, 2)

    def constant(self) -> Float[Tensor, "d Y"]:
        """The bias of each output pixel."""
        return self.bias.flatten(1)

    def energy(self) -> Float[Tensor, ""]:
        """The negative log density of weights of variance `1 / (c X)`."""
        return 0.5 * self.weight[0, 0].numel() * self.weight.square().sum()

    def plain(self) -> nn.Module:
        """The dense map as `nn.Linear` between flattened images."""
        return plain_dense(self.matrix().transpose(1, 2).flatten(2).flatten(0, 1), self.bias)

    def exact(self) -> nn.Module:
        """The nearest map that commutes with translations by the stride: a convolution as large as the image."""
        return periodic_convolution(self)

    def distance(self) -> Float[Tensor, ""]:
        """What the mean over translations removes: `|Θ - P Θ| / |Θ|`."""
        return translation_distance(self)

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm that commutes with translations by the stride: `|P Θ|² / |Θ|²`."""
        return translation_degrees(site, self, "dense map")

    def extra_repr(self) -> str:
        """Channels, sizes."""
        return described(self)


class ConvMap(nn.Module):
    """A periodic convolution, CONV: commutes with all translations, also at stride 2.

    At a stride each image is sampled where it is largest (`polyphase`), so that its own shift moves the samples, and
    not the images beside it in the batch.

    Args:
        in_channels, out_channels: `c` and `d`.
        size: height and width of the input.
        stride: 1 or more, must divide the size.
        kernel_size: odd.

    Raises:
        ValueError: when the stride does not divide the size, or the kernel is even or larger than twice the image.

    Example:
        >>> ls.relax.ConvMap(3, 4, 8, stride=2)(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 4, 4, 4])
    """

    def __init__(
        self, in_channels: int, out_channels: int, size: int | Grid, *, stride: int = 1, kernel_size: int = 3
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.size, self.out_size = grids(size, stride)
        self.kernel_size = checked_kernel(kernel_size, self.size)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self, gain: float = 1.0) -> None:
        """Weights anew, normal with variance `gain² / (c k²)`; no bias."""
        nn.init.normal_(self.weight, std=gain * self.weight[0].numel() ** -0.5)
        nn.init.zeros_(self.bias)

    def kernel(self) -> Float[Tensor, "d c k k"]:
        """The kernel."""
        return self.weight

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
        """The negative log density of weights of variance `1 / (c k²)`."""
        return 0.5 * self.weight[0].numel() * self.weight.square().sum()

    def plain(self) -> nn.Module:
        """`nn.Conv2d` with circular padding, then, at a stride, a traced program of torch that samples."""
        return plain_conv(self.kernel(), self.bias, self.stride)

    def exact(self) -> nn.Module:
        """The layer itself: it is exact."""
        return self

    def extra_repr(self) -> str:
        """Channels, sizes."""
        return f"{described(self)}, kernel_size={self.kernel_size}"


def convolved(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """A periodic convolution of stride 1 with an odd kernel."""
    padding = kernel.shape[-1] // 2
    return nn.functional.conv2d(nn.functional.pad(x, [padding] * 4, mode="circular"), kernel, bias)


def plain_conv(kernel: Tensor, bias: Tensor, stride: int) -> nn.Module:
    """Plain torch modules for a periodic convolution and the sampling of its output."""
    d, c, k = kernel.shape[:3]
    conv = nn.Conv2d(c, d, k, padding=k // 2, padding_mode="circular").to(kernel)
    with torch.no_grad():
        conv.weight.copy_(kernel)
        conv.bias.copy_(bias)  # pyright: ignore[reportOptionalMemberAccess]
    return conv if stride == 1 else nn.Sequential(conv, plain_polyphase(stride))


def plain_dense(matrix: Float[Tensor, "dY cX"], bias: Float[Tensor, "d H W"]) -> nn.Sequential:
    """`nn.Linear` between flattened images."""
    linear = nn.Linear(matrix.shape[1], matrix.shape[0]).to(matrix)
    with torch.no_grad():
        linear.weight.copy_(matrix)
        linear.bias.copy_(bias.flatten())
    return nn.Sequential(nn.Flatten(), linear, nn.Unflatten(1, tuple(bias.shape)))


def offsets(size: Grid, stride: int) -> Int[Tensor, "Y X"]:
    """For each output pixel `y` and input pixel `x` the number of the offset `x - stride y` on the periodic grid."""
    out = size[0] // stride, size[1] // stride
    rows, columns = ((torch.arange(n) - stride * torch.arange(m)[:, None]) % n for n, m in zip(size, out, strict=True))
    table = rows[:, None, :, None] * size[1] + columns[None, :, None, :]
    return table.flatten(2).flatten(0, 1)


def unrolled(kernel: Float[Tensor, "d c H W"], stride: int) -> Float[Tensor, "d c Y X"]:
    """The dense array of a periodic convolution with a kernel as large as the image: `Θ(y, x) = k(x - stride y)`."""
    return kernel.flatten(2)[:, :, offsets((kernel.shape[2], kernel.shape[3]), stride).to(kernel.device)]


def translation_mean(matrix: Float[Tensor, "d c Y X"], size: Grid, stride: int) -> Float[Tensor, "d c H W"]:
    """The kernel of the convolution nearest to a dense map: `k(u) = mean_y Θ(y, stride y + u)`."""
    index = offsets(size, stride).to(matrix.device)
    summed = matrix.new_zeros(*matrix.shape[:2], math.prod(size)).index_add(2, index.flatten(), matrix.flatten(2))
    return (summed / len(index)).unflatten(2, size)


def around(kernel: Float[Tensor, "d c k k"], size: Grid) -> Float[Tensor, "d c H W"]:
    """A small kernel centred on offset 0 of the periodic grid; where it is larger than the grid it wraps."""
    reach = torch.arange(kernel.shape[-1]) - kernel.shape[-1] // 2
    index = ((reach % size[0])[:, None] * size[1] + reach % size[1]).flatten().to(kernel.device)
    large = kernel.new_zeros(*kernel.shape[:2], math.prod(size))
    return large.index_add(2, index, kernel.flatten(2)).unflatten(2, size)


def translation_distance(layer: GridMap) -> Float[Tensor, ""]:
    """`|Θ - P Θ| / |Θ|` with `P` the mean over translations by the stride."""
    matrix = layer.matrix()
    mean = unrolled(translation_mean(matrix, layer.size, layer.stride), layer.stride)
    return (matrix - mean).norm() / matrix.norm().clamp(min=torch.finfo(matrix.dtype).tiny)


def translation_degrees(site: str, layer: GridMap, method: str) -> list[Degree]:
    """The share of the squared norm of the dense map that commutes with translations by the stride."""
    unit = "all" if layer.stride == 1 else f"by {layer.stride} px"
    share = 1 - float(translation_distance(layer).detach()) ** 2
    return [
        Degree(
            site=site,
            group="translation2d",
            generator=f"translations, {unit}",
            unit="1",
            notion="task",
            estimate=share,
            method=method,
            status="no interval",
            reason=ONE_TRAINING,
        )
    ]


def periodic_convolution(layer: GridMap) -> nn.Sequential:
    """The convolution nearest to a grid map, of plain torch modules: with a kernel as large as the image."""
    kernel = translation_mean(layer.matrix().detach(), layer.size, layer.stride)
    d, c, h, w = kernel.shape
    conv = nn.Conv2d(c, d, (h, w), stride=layer.stride).to(kernel)
    with torch.no_grad():
        conv.weight.copy_(kernel)
        conv.bias.copy_(layer.constant().mean(1))  # pyright: ignore[reportOptionalMemberAccess]
    return nn.Sequential(nn.CircularPad2d((0, w - 1, 0, h - 1)), conv)


def grids(size: int | Grid, stride: int) -> tuple[Grid, Grid]:
    """Sizes of the input and the output, or ValueError."""
    full = (size, size) if isinstance(size, int) else size
    if stride < 1 or full[0] % stride or full[1] % stride:
        raise ValueError(f"stride: got {stride} for {full[0]} x {full[1]} pixels, must divide both; pad the images")
    return full, (full[0] // stride, full[1] // stride)


def checked_kernel(kernel_size: int, size: Grid) -> int:
    """The size of a kernel, or ValueError."""
    if kernel_size % 2 == 0 or kernel_size // 2 > min(size):
        raise ValueError(
            f"kernel_size: got {kernel_size} for {size[0]} x {size[1]} pixels, must be odd and at most "
            f"twice the image; take 3"
        )
    return kernel_size


def check_grid(channels: int, size: Grid, x: Tensor) -> None:
    """Raise ValueError when images have not the size of a layer."""
    if tuple(x.shape[1:]) != (channels, *size):
        raise ValueError(f"x: got images {tuple(x.shape[1:])}, must be {(channels, *size)}; resize them or the layer")


def described(layer: Any) -> str:  # noqa: ANN401  any layer of this kind
    """Channels and sizes."""
    sizes = ["x".join(map(str, size)) for size in (layer.size, layer.out_size)]
    return f"{layer.in_channels}, {layer.out_channels}, {sizes[0]} -> {sizes[1]}"
