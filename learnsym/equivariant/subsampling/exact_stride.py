"""Strided operations that stay exact at every input size, for networks as they are.

Legend of axes: `B` batch, `c` channels, `H W` pixels of the output at stride 1, `h w` of that at the stride.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym.equivariant.spatial_pools import AveragePool

STRIDED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, AveragePool)
"""Beside the convolutions of this package, which keep their stride in `options`."""


class OffsetIndex(NamedTuple):
    """Which offset the pixels of each example are read at, and how clearly it was found."""

    offset: Int[Tensor, "B 2"]
    """First row and column that is kept."""
    margin: Float[Tensor, "B"]
    """Lead of the response on these pixels over that at the next offset, by the largest; 0 for a tie."""


class ExactStride(nn.Module):
    """A convolution or pool at a stride `s` that commutes with quarter turns and flips at every input size.

    An ordinary stride keeps the outputs `0, s, 2s, ...` of the operation at stride 1; that is symmetric only when
    `r = (n - 1) mod s = 0` for its `n` outputs along an axis. For other sizes all of the offsets `0 ... r` keep equally
    many, and a flip takes the offset `a` to `r - a`. Here the features choose:

        y = f(a + s z),    a = argmax_a Σ_z |f(a + s z)|²

    Outputs have the size of those of the ordinary stride, and are the same where that one is exact. The price is the
    operation at stride 1 and, as the choice is an argmax, jumps of the output at ties. Images that are symmetric
    themselves have a tie: their output is then known up to that symmetry, which an invariant head does not see.

    Args:
        operation: convolution or pool at stride 1, with square kernels.
        stride: `s` along both axes.

    Raises:
        ValueError: for a stride below 1.

    Reference: the rule of Edixhoven, Lengyel, van Gemert (2023), arXiv 2308.11316, with the subsampling of Xu, Kim,
    Rainforth, Teh (2021), arXiv 2106.05886, on images that do not wrap around.

    Example:
        >>> pool = ls.equivariant.ExactStride(nn.MaxPool2d(2, stride=1), 2)
        >>> x = torch.rand(1, 1, 7, 7)
        >>> torch.equal(pool(x.rot90(1, (2, 3))), pool(x).rot90(1, (2, 3)))
        True
    """

    def __init__(self, operation: nn.Module, stride: int) -> None:
        super().__init__()
        if stride < 1:
            raise ValueError(f"stride: got {stride}, must be at least 1; 2 halves the sides")
        self.operation, self.stride = operation, stride

    @property
    def in_type(self) -> Any:  # noqa: ANN401
        """Fields of the input, for operations that say so."""
        return getattr(self.operation, "in_type", None)

    @property
    def out_type(self) -> Any:  # noqa: ANN401
        """Fields of the output, for operations that say so."""
        return getattr(self.operation, "out_type", None)

    def index(self, x: Float[Tensor, "B c_in H_in W_in"]) -> OffsetIndex:
        """The offset at which the output is read."""
        return best_offset(self.operation(x), self.stride)

    def forward(self, x: Float[Tensor, "B c_in H_in W_in"]) -> Float[Tensor, "B c h w"]:
        """The output at the stride."""
        return strided(self.operation(x), self.stride)

    def extra_repr(self) -> str:
        """Stride."""
        return f"stride={self.stride}"


def strided(f: Float[Tensor, "B c H W"], stride: int) -> Float[Tensor, "B c h w"]:
    """Every `stride`-th pixel of a feature map, at the offset of its strongest response."""
    height, width = f.shape[2:]
    if (height - 1) % stride == 0 and (width - 1) % stride == 0:
        return f[:, :, ::stride, ::stride]
    offset = best_offset(f, stride).offset
    rows = offset[:, :1] + torch.arange(0, height - (height - 1) % stride, stride, device=f.device)
    columns = offset[:, 1:] + torch.arange(0, width - (width - 1) % stride, stride, device=f.device)
    place = (rows[:, :, None] * width + columns[:, None]).flatten(1)
    pixels = f.flatten(2).gather(2, place[:, None].expand(-1, f.shape[1], -1))
    return pixels.unflatten(2, (rows.shape[1], columns.shape[1]))


def best_offset(f: Float[Tensor, "B c H W"], stride: int) -> OffsetIndex:
    """The offset, in `0 ... (n - 1) mod s` along each axis, with the largest sum of squares; the first of equals.

    Channels may be mixed by any orthogonal representation. In double precision; no gradient.
    """
    energy = f.detach().double().square().sum(1)
    rows, columns = ((side - 1) % stride + 1 for side in f.shape[2:])
    filled = nn.functional.pad(energy, (0, -f.shape[3] % stride, 0, -f.shape[2] % stride))
    sums = filled.unflatten(2, (-1, stride)).unflatten(1, (-1, stride)).sum((1, 3))[:, :rows, :columns].flatten(1)
    place = sums.argmax(1)
    offset = torch.stack([torch.div(place, columns, rounding_mode="floor"), place % columns], 1)
    if rows * columns == 1:
        return OffsetIndex(offset, torch.ones_like(sums[:, 0]))
    best, second = sums.topk(2, 1).values.unbind(1)
    return OffsetIndex(offset, torch.where(best > 0, (best - second) / best.clamp(min=1e-300), 0.0))


def exact_strides(network: nn.Module) -> nn.Module:
    """A copy of a network in which every strided convolution and pool is an `ExactStride`, with the same weights.

    A p4 or p4m network is then exact at any input size, not only at those of `measure.exact_sizes`; parameters and the
    shapes of all features stay. Strides outside of modules (`F.max_pool2d`, slices) are not seen, uneven padding stays:
    check with `measure.exactness_test`.

    Args:
        network: modules such as `nn.Conv2d`, `nn.MaxPool2d`, `nn.AvgPool2d`, `GroupConv2d`, `SteerableConv`.

    Raises:
        ValueError: for strides that differ between axes, `ceil_mode` or `return_indices`.

    Example:
        >>> net = ls.equivariant.exact_strides(nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.MaxPool2d(2)))
        >>> net(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 4, 6, 6])
    """
    network, done = copy.deepcopy(network), dict[int, nn.Module]()
    for path, module in list(network.named_modules(remove_duplicate=False)):
        if id(module) not in done:
            stride = _taken_stride(module, path)
            done[id(module)] = ExactStride(module, stride).train(module.training) if stride > 1 else module
        parent, _, name = path.rpartition(".")
        if path and done[id(module)] is not module:
            setattr(network.get_submodule(parent), name, done[id(module)])
    return done[id(network)]


def _taken_stride(module: Any, path: str) -> int:  # noqa: ANN401
    """The stride of a convolution or pool, which is set to 1; 1 for other modules."""
    options = getattr(module, "options", None)
    # blocks of residual networks have a stride of their own, which is that of their convolutions
    plain = vars(module) if isinstance(module, STRIDED) else {}
    owner: dict[str, Any] = options if isinstance(options, dict) else plain
    stride = owner.get("stride", 1)
    sides = set(stride) if isinstance(stride, tuple) else {stride}
    if sides == {1}:
        return 1
    _check(module, path, sides)
    owner["stride"] = (1, 1) if isinstance(stride, tuple) else 1
    return sides.pop()


def _check(module: Any, path: str, sides: set[int]) -> None:  # noqa: ANN401
    where = f"network: {path or 'it'} ({type(module).__name__})"
    if len(sides) > 1:
        raise ValueError(f"{where} has strides {sorted(sides)}, must have one for both axes; use a single number")
    for option in ("ceil_mode", "return_indices"):
        if getattr(module, option, False):
            raise ValueError(f"{where} has {option}=True, must be False; outputs would not fit an exact stride")
