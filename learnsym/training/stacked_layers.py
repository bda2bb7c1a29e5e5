"""Layers of many networks at once, with the channels of all members side by side in one image.

`torch.vmap` knows only a batch of members, for which it copies images before and after each convolution and leaves the
fused kernels of normalisation and pooling. Legend of axes: `M` members, `B` examples, `C` channels.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Size = int | Sequence[int]
PLANES, CHANNELS = torch.contiguous_format, torch.channels_last


def without_writes(base: nn.Module) -> None:
    """Activations that write over the result of the layer before them, which nobody else sees, make one of their own.

    Under `vmap` a write copies all of what it writes to.
    """
    for module in base.modules():
        if type(module) is nn.Sequential:
            for k, (before, after) in enumerate(itertools.pairwise(module), 1):
                if isinstance(before, nn.Conv2d | nn.GroupNorm) and getattr(after, "inplace", False) is True:
                    module[k] = copy.copy(after)
                    module[k].inplace = False  # type: ignore[assignment]


class SideBySide(TorchFunctionMode):
    """While it is entered within `torch.vmap` over members, layers of images take all members as one image.

    Results and gradients are those of `vmap` up to rounding; what it does not know is left to `vmap`.
    """

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:  # noqa: ANN401
        """Any torch function."""
        kwargs = kwargs or {}
        layer = _LAYERS.get(func)
        known = layer is not None and bool(args) and isinstance(args[0], Tensor) and args[0].ndim == 4
        return layer(*args, **kwargs) if layer is not None and known else func(*args, **kwargs)


class _Together(torch.autograd.Function):
    """A function of one image of all members; it is differentiated within its rule for `vmap`."""

    @staticmethod
    def forward(function: Callable[..., Tensor], x: Tensor, *weights: Tensor | None) -> Tensor:
        """For one member."""
        return function(1, x, *weights)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:  # noqa: ANN401
        """Nothing is kept."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple, function: Callable[..., Tensor], x: Tensor, *weights: Tensor | None) -> Any:  # noqa: ANN401
        """`x` as `(B, M C, H, W)` and weights as `(M C, ...)`, which are views after the first layer."""
        members = info.batch_size
        x = _batched(x, in_dims[1], 1, members)
        flat = [None if w is None else _batched(w, d, 0, members) for w, d in zip(weights, in_dims[2:], strict=True)]
        y = function(members, x, *flat)
        # not a view: what follows in place, as ReLU may be, would copy it to write into its base
        return torch.ops.aten._unsafe_view(y, (len(y), members, -1, *y.shape[2:])), 1


def _batched(t: Tensor, source: int | None, target: int, members: int) -> Tensor:
    """The axis of members in front of the one of channels, both merged."""
    t = t.unsqueeze(target).expand(*t.shape[:target], members, *t.shape[target:]) if source is None else t
    return (t if source is None else t.movedim(source, target)).flatten(target, target + 1)


def _ordered(x: Tensor, source: torch.memory_format, target: torch.memory_format) -> Tensor:
    """On CPUs an image in the order `target` of memory, whose gradient comes back in the order `source`."""
    if x.device.type != "cpu" or x.is_contiguous(memory_format=target):
        return x
    y = x.contiguous(memory_format=target)
    if y.requires_grad:
        y.register_hook(lambda gradient: gradient.contiguous(memory_format=source))
    return y


def _conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    def together(members: int, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.conv2d(x, weight, bias, stride, padding, dilation, members * groups)  # pyright: ignore[reportArgumentType, reportCallIssue]

    return _Together.apply(together, x, weight, bias)  # pyright: ignore[reportReturnType]


def _group_norm(
    x: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    def together(members: int, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        # torch's kernel for channels last is slower than the copy
        return F.group_norm(x.contiguous(), members * num_groups, weight, bias, eps)

    return _Together.apply(together, x, weight, bias)  # pyright: ignore[reportReturnType]


def _max_pool2d(x: Tensor, *args: Any, return_indices: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401
    if return_indices:
        return F.max_pool2d(x, *args, return_indices=True, **kwargs)

    def together(members: int, x: Tensor) -> Tensor:
        # maxima run along the channels of all members; what surrounds them runs along pixels
        y = F.max_pool2d(_ordered(x, PLANES, CHANNELS), *args, **kwargs)
        return _ordered(y, CHANNELS, PLANES)

    return _Together.apply(together, x)


def _adaptive_avg_pool2d(x: Tensor, output_size: Any) -> Tensor:  # noqa: ANN401
    size = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
    # averages of single pixels, for which torch calls a slow kernel
    return x.clone() if size == tuple(x.shape[2:]) else F.adaptive_avg_pool2d(x, output_size)


_LAYERS: dict[Callable, Callable[..., Any]] = {
    F.conv2d: _conv2d,
    F.group_norm: _group_norm,
    F.max_pool2d: _max_pool2d,
    F.adaptive_avg_pool2d: _adaptive_avg_pool2d,
}
