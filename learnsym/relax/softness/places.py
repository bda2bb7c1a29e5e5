"""Which parameters of a network a group of the plane moves: square kernels, and tables of positions of tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import nn

from learnsym.relax.softness.moved_entries import KernelPixels, MovedEntries, TokenGrid


def moved_parameters(net: nn.Module) -> dict[str, MovedEntries]:
    """The parameters of an image network that must be symmetric for it to be equivariant, by name.

    Kernels of `nn.Conv2d` larger than 1 x 1, among them patch embeddings, and a table `pos_embed` beside a
    `patch_embed` that knows its `grid_size`, as the vision transformers of timm have them. Linear maps of the features
    of tokens, attention and normalisation commute with any permutation of tokens; whatever else knows places must be
    named by hand.

    Raises:
        ValueError: for a kernel or a grid that is not square, a table whose grid is not known, or a network without any
            such parameter.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 1))
        >>> ls.relax.moved_parameters(net)
        {'0.weight': KernelPixels(size=3)}
    """
    found = dict(_kernels(net)) | dict(_tables(net))
    if not found:
        raise ValueError(
            f"net: {type(net).__name__} has no square kernel larger than 1 x 1 and no table of positions; name its "
            "parameters, as in parameters={'0.weight': ls.relax.MapEntries(source, target)}"
        )
    return found


def _kernels(net: nn.Module) -> Iterator[tuple[str, MovedEntries]]:
    for path, module in net.named_modules():
        if not isinstance(module, nn.Conv2d) or module.kernel_size == (1, 1):
            continue
        height, width = module.kernel_size
        if height != width:
            raise ValueError(
                f"net: the kernel of {path or 'the convolution'} is {height} x {width}, must be square; name the "
                "parameters to soften without it"
            )
        yield f"{path}.weight" if path else "weight", KernelPixels(height)


def _tables(net: nn.Module) -> Iterator[tuple[str, MovedEntries]]:
    for path, module in net.named_modules():
        table = module._parameters.get("pos_embed")
        if table is None:
            continue
        name = f"{path}.pos_embed" if path else "pos_embed"
        grid = getattr(getattr(module, "patch_embed", None), "grid_size", None)
        if grid is None or table.ndim != 3:
            raise ValueError(
                f"net: {name} has the shape {tuple(table.shape)}, and the grid of its tokens is not known; name the "
                f"parameters to soften, as in parameters={{{name!r}: ls.relax.TokenGrid(size, prefix=1)}}"
            )
        if len(set(grid)) > 1:
            raise ValueError(f"net: the tokens of {name} are {grid[0]} x {grid[1]}, must be square; give square images")
        yield name, TokenGrid(grid[0], table.shape[1] - math.prod(grid))
