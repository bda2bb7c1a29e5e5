"""Free kernels onto exact layers: the equivariant kernel nearest to a given one.

Legend of axes: `o`, `i` fields out and in, `a`, `b` their components, `K` basis kernels, `*S` pixels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.lattice.conv import GroupConv2d
from learnsym.equivariant.lattice.orbits import gathered, orbit_means
from learnsym.equivariant.steerable.conv import SteerableBias, SteerableConv, expanded

ExactConv = SteerableConv | GroupConv2d
"""Exact convolutions: their kernel, from `.kernel()`, is linear in `.weights`."""


def nearest_kernel(layer: ExactConv, kernel: Float[Tensor, "c_out c_in *S"]) -> Float[Tensor, "c_out c_in *S"]:
    """The orthogonal projection `P k` of a kernel onto the kernels of a layer, differentiable in the kernel.

    `P k` is nearest in the norm `|k|² = Σ_oiu k[o, i, u]²`. For the lattice it is the mean over the group; for a
    steerable layer also what its basis cannot express is removed, such as frequencies above its band limit.

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
    rows: list[list[Tensor]] = [[] for _ in layer.out_type.parts]
    for o, name, block in _blocks(layer, kernel):
        rows[o].append(_kernel_of(layer, name, _weights_of(layer, name, block)) if name in layer.weights else 0 * block)
    return torch.cat([torch.cat(row, 1) for row in rows], 0)


def kernel_distance(layer: ExactConv, kernel: Float[Tensor, "c_out c_in *S"]) -> Float[Tensor, ""]:
    """What the projection removes: `|k - P k| / |k|`, 0 for an equivariant kernel, 1 for one without such part."""
    return relative_distance(kernel, nearest_kernel(layer, kernel))


def relative_distance(x: Tensor, projection: Tensor) -> Float[Tensor, ""]:
    """`|x - p| / |x|`, 0 for `x = 0`."""
    tiny = torch.finfo(x.dtype).tiny
    return (x - projection).square().sum().clamp(min=tiny).sqrt() / x.square().sum().clamp(min=tiny**0.5).sqrt()


def projected(
    layer: ExactConv, kernel: Float[Tensor, "c_out c_in *S"], bias: Float[Tensor, "c_out"] | None = None
) -> Any:  # noqa: ANN401  a layer of the type of `layer`
    """A copy of an exact layer with the kernel nearest to a given one, and the nearest bias.

    Args:
        layer: the exact layer; its own weights do not matter.
        kernel: ordinary kernel.
        bias: constants of the channels; 0 when None. A layer without bias drops them.

    Raises:
        ValueError: for a kernel of another shape than the layer's.
    """
    found: ExactConv = copy.deepcopy(layer)
    with torch.no_grad():
        for _, name, block in _blocks(layer, kernel.detach()):
            if name in found.weights:
                found.weights[name].copy_(_weights_of(layer, name, block))
        _set_bias(found, kernel.new_zeros(len(kernel)) if bias is None else bias.detach())
    return found


def _blocks(layer: ExactConv, kernel: Tensor) -> Iterator[tuple[int, str, Tensor]]:
    """Parts of a kernel from one representation to another, with the number of the row and the name of the weights."""
    size = layer.kernel_size
    expected = (layer.out_type.size, layer.in_type.size, *[size] * layer.in_type.group.n)
    if tuple(kernel.shape) != expected:
        raise ValueError(f"kernel: got shape {tuple(kernel.shape)}, must be {expected}, as layer.kernel() has it")
    for o, (_, _, rows) in enumerate(layer.out_type.sections()):
        for i, (_, _, columns) in enumerate(layer.in_type.sections()):
            yield o, f"{o}-{i}", kernel[rows, columns]


def _weights_of(layer: ExactConv, name: str, block: Tensor) -> Tensor:
    if isinstance(layer, GroupConv2d):
        return orbit_means(block, layer.orbits[name]())
    return coordinates(block, layer.bases[name]())


def _kernel_of(layer: ExactConv, name: str, weights: Tensor) -> Tensor:
    function: Callable[[Tensor, Tensor], Tensor] = gathered if isinstance(layer, GroupConv2d) else expanded
    return function(weights, (layer.orbits if isinstance(layer, GroupConv2d) else layer.bases)[name]())


def coordinates(kernel: Float[Tensor, "oa ib *S"], basis: Float[Tensor, "K a b *S"]) -> Float[Tensor, "o i K"]:
    """Least-squares weights of a block of a kernel: a left inverse of `expanded`; rings overlap, hence Gram."""
    a, b = basis.shape[1:3]
    blocks = kernel.unflatten(1, (-1, b)).unflatten(0, (-1, a)).transpose(1, 2).flatten(2)
    vectors = basis.to(kernel.dtype).flatten(1)
    return torch.linalg.solve(vectors @ vectors.mT, blocks @ vectors.mT, left=False)


def _set_bias(layer: ExactConv, bias: Tensor) -> None:
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
