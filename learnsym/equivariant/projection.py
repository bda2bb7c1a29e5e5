"""Free kernels onto exact layers: the equivariant kernel nearest to a given one.

Legend of axes: `c` channels, `*S` pixels (none for a linear map).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.exact_layer import ExactLayer

AnyExact = TypeVar("AnyExact", bound=ExactLayer)


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
    return layer.kernel_of(nearest_weights(layer, kernel))


def group_mean(
    weight: Float[Tensor, "o i"], on_output: Float[Tensor, "G p p"], on_input: Float[Tensor, "H q q"]
) -> Float[Tensor, "o i"]:
    """The projection `P W = mean_g s(g)^-1 W r(g)` of a matrix onto the equivariant ones, differentiable in the matrix.

    Args:
        weight: `W`.
        on_output, on_input: orthogonal matrices `s(g)` and `r(g)` of all elements of a finite group, in one order.

    Raises:
        ValueError: for matrices that do not fit.

    Example:
        >>> swaps = torch.stack([torch.eye(2), torch.eye(2).flip(0)])
        >>> ls.equivariant.group_mean(torch.tensor([[1.0, 2.0], [0.0, 3.0]]), swaps, swaps)
        tensor([[2., 1.],
                [1., 2.]])
    """
    expected = [(len(on_input), size, size) for size in weight.shape]
    if [tuple(on_output.shape), tuple(on_input.shape)] != expected:
        raise ValueError(
            f"on_output, on_input: got shapes {tuple(on_output.shape)} and {tuple(on_input.shape)} for a weight "
            f"{tuple(weight.shape)}, must be {expected[0]} and {expected[1]}; give one matrix for each element"
        )
    return torch.einsum("gpo,pq,gqi->oi", on_output, weight, on_input) / len(on_input)


def nearest_weights(layer: ExactLayer, kernel: Float[Tensor, "c_out c_in *S"]) -> dict[str, Tensor]:
    """The weights, by block, of the kernel nearest to a given one: a left inverse of `layer.kernel_of`."""
    blocks = _blocks(layer, kernel)
    return {name: layer.coordinates(name, block) for name, block in blocks if name in layer.weights}


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
    nearest = copy.deepcopy(layer)
    with torch.no_grad():
        for name, weight in nearest_weights(layer, kernel.detach()).items():
            nearest.weights[name].copy_(weight)
    nearest.set_bias(kernel.new_zeros(len(kernel)) if bias is None else bias.detach())
    return nearest


def _blocks(layer: ExactLayer, kernel: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Parts of a kernel from one representation to another, with the name of their weights."""
    expected = (layer.out_type.size, layer.in_type.size, *layer.pixels)
    if tuple(kernel.shape) != expected:
        raise ValueError(f"kernel: got shape {tuple(kernel.shape)}, must be {expected}, as layer.kernel() has it")
    for o, (_, _, rows) in enumerate(layer.out_type.sections()):
        for i, (_, _, columns) in enumerate(layer.in_type.sections()):
            yield f"{o}-{i}", kernel[rows, columns]
