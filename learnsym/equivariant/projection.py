"""Free kernels onto exact layers: the equivariant kernel nearest to a given one.

Legend of axes: `o`, `i` fields out and in, `a`, `b` their components, `K` basis kernels, `*S` pixels (none for a linear
map).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.lattice.conv import GroupConv2d
from learnsym.equivariant.lattice.orbits import gathered, orbit_means
from learnsym.equivariant.linear import EquivariantLinear
from learnsym.equivariant.steerable.conv import SteerableBias, SteerableConv, expanded

ExactLayer = SteerableConv | GroupConv2d | EquivariantLinear
"""Exact layers: their kernel (for a linear map its matrix), from `.kernel()`, is linear in `.weights`."""

AnyExact = TypeVar("AnyExact", SteerableConv, GroupConv2d, EquivariantLinear, ExactLayer)


def nearest_kernel(layer: ExactLayer, kernel: Float[Tensor, "c_out c_in *S"]) -> Float[Tensor, "c_out c_in *S"]:
    """The orthogonal projection `P k` of a kernel onto the kernels of a layer, differentiable in the kernel.

    `P k` is nearest in the norm `|k|² = Σ_oiu k[o, i, u]²`. For the lattice and for linear maps it is the mean over the
    group; for a steerable convolution also what its basis cannot express is removed, such as frequencies above its band
    limit.

    Raises:
        ValueError: for a kernel of another shape than the layer's.

    Example:
        >>> fields = ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 1)
        >>> layer = ls.equivariant.GroupConv2d(fields, fields, 3)
        >>> ls.equivariant.nearest_kernel(layer, torch.arange(9.0).view(1, 1, 3, 3))
        tensor([[[[4., 4., 4.],
                  [4., 4., 4.],
                  [4., 4., 4.]]]])
    """
    return kernel_of(layer, nearest_weights(layer, kernel))


def nearest_weights(layer: ExactLayer, kernel: Float[Tensor, "c_out c_in *S"]) -> dict[str, Tensor]:
    """The weights, by block, of the kernel nearest to a given one: a left inverse of `kernel_of`."""
    return {
        name: orbit_means(block, layer.orbits[name]())
        if isinstance(layer, GroupConv2d)
        else coordinates(block, layer.bases[name]())
        for name, block in _blocks(layer, kernel)
        if name in layer.weights
    }


def kernel_of(layer: ExactLayer, weights: Mapping[str, Tensor]) -> Tensor:
    """The kernel that a layer would have with other weights: linear in them."""
    rows: list[Tensor] = []
    for o, (_, _, to) in enumerate(layer.out_type.sections()):
        row: list[Tensor] = []
        for i, (_, _, of) in enumerate(layer.in_type.sections()):
            name, shape = f"{o}-{i}", (to.stop - to.start, of.stop - of.start, *pixels(layer))
            row.append(_block_of(layer, name, weights) if name in weights else _zeros(weights, shape))
        rows.append(torch.cat(row, 1))
    return torch.cat(rows, 0)


def _block_of(layer: ExactLayer, name: str, weights: Mapping[str, Tensor]) -> Tensor:
    if isinstance(layer, GroupConv2d):
        return gathered(weights[name], layer.orbits[name]())
    return expanded(weights[name], layer.bases[name]())


def _zeros(weights: Mapping[str, Tensor], shape: tuple[int, ...]) -> Tensor:
    return next(iter(weights.values())).new_zeros(shape)


def kernel_distance(layer: ExactLayer, kernel: Float[Tensor, "c_out c_in *S"]) -> Float[Tensor, ""]:
    """What the projection removes: `|k - P k| / |k|`, 0 for an equivariant kernel, 1 for one without such part."""
    return relative_distance(kernel, nearest_kernel(layer, kernel))


def relative_distance(x: Tensor, projection: Tensor) -> Float[Tensor, ""]:
    """`|x - p| / |x|`, 0 for `x = 0`."""
    tiny = torch.finfo(x.dtype).tiny
    return (x - projection).square().sum().clamp(min=tiny).sqrt() / x.square().sum().clamp(min=tiny**0.5).sqrt()


def projected(
    layer: AnyExact, kernel: Float[Tensor, "c_out c_in *S"], bias: Float[Tensor, "c_out"] | None = None
) -> AnyExact:
    """A copy of an exact layer with the kernel nearest to a given one, and the nearest bias.

    Args:
        layer: the exact layer; its own weights do not matter.
        kernel: ordinary kernel.
        bias: constants of the channels; 0 when None. A layer without bias drops them.

    Raises:
        ValueError: for a kernel of another shape than the layer's.
    """
    found = copy.deepcopy(layer)
    with torch.no_grad():
        for name, weight in nearest_weights(layer, kernel.detach()).items():
            found.weights[name].copy_(weight)
        _set_bias(found, kernel.new_zeros(len(kernel)) if bias is None else bias.detach())
    return found


def channel_bias(layer: ExactLayer) -> Float[Tensor, "c_out"] | None:
    """The constant of each channel of an exact layer."""
    if isinstance(layer, GroupConv2d):
        return layer.channel_bias()
    return None if layer.bias is None else layer.bias()


def pixels(layer: ExactLayer) -> tuple[int, ...]:
    """The pixel axes `*S` of the kernel."""
    return () if isinstance(layer, EquivariantLinear) else (layer.kernel_size,) * layer.in_type.group.n


def _blocks(layer: ExactLayer, kernel: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Parts of a kernel from one representation to another, with the name of their weights."""
    expected = (layer.out_type.size, layer.in_type.size, *pixels(layer))
    if tuple(kernel.shape) != expected:
        raise ValueError(f"kernel: got shape {tuple(kernel.shape)}, must be {expected}, as layer.kernel() has it")
    for o, (_, _, rows) in enumerate(layer.out_type.sections()):
        for i, (_, _, columns) in enumerate(layer.in_type.sections()):
            yield f"{o}-{i}", kernel[rows, columns]


def coordinates(kernel: Float[Tensor, "oa ib *S"], basis: Float[Tensor, "K a b *S"]) -> Float[Tensor, "o i K"]:
    """Least-squares weights of a block of a kernel: a left inverse of `expanded`; rings overlap, hence Gram."""
    a, b = basis.shape[1:3]
    blocks = kernel.unflatten(1, (-1, b)).unflatten(0, (-1, a)).transpose(1, 2).flatten(2)
    vectors = basis.to(kernel.dtype).flatten(1)
    return blocks @ torch.linalg.solve(vectors @ vectors.mT, vectors).mT


def _set_bias(layer: ExactLayer, bias: Tensor) -> None:
    if isinstance(layer.bias, SteerableBias):
        for index, (representation, _, channels) in enumerate(layer.bias.field_type.sections()):
            if str(index) in layer.bias.weights:
                vectors = layer.bias.bases[str(index)]()  # orthonormal
                fields = bias[channels].unflatten(0, (-1, representation.size))
                layer.bias.weights[str(index)].copy_(fields @ vectors.mT)
    elif isinstance(layer, GroupConv2d) and layer.bias is not None:
        index = layer.bias_orbits()
        sums = torch.zeros_like(layer.bias).index_add(0, index, bias)
        layer.bias.copy_(sums / torch.bincount(index).to(sums))
