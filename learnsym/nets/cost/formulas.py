"""FLOPs of single operations: those of torch's counter, and the ones it lacks or that it counts wrongly."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import conv_flop_count, flop_registry, sdpa_backward_flop_count, sdpa_flop_count

aten: Any = torch.ops.aten


def _attention(q: Tensor, k: Tensor, v: Tensor, *_: object, **__: object) -> int:
    return sdpa_flop_count(q.shape, k.shape, v.shape)


def _attention_backward(g: Tensor, q: Tensor, k: Tensor, v: Tensor, *_: object, **__: object) -> int:
    return sdpa_backward_flop_count(g.shape, q.shape, k.shape, v.shape)


def _convolution_backward(g: Tensor, x: Tensor, w: Tensor, *rest: Any, **_: object) -> int:  # noqa: ANN401
    """As many as forward for each of both gradients; torch's own formula counts groups as if they were dense."""
    transposed, mask = rest[4], rest[7]
    return (bool(mask[0]) + bool(mask[1])) * conv_flop_count(list(x.shape), list(w.shape), list(g.shape), transposed)


def _matrix_vector(a: Tensor, *_: object, **__: object) -> int:
    return 2 * a.numel()


def _added_matrix_vector(_: Tensor, a: Tensor, *__: object, **___: object) -> int:
    return 2 * a.numel()


def _samples(x: Tensor, grid: Tensor, *_: object, **__: object) -> int:
    """Every sample is a weighted sum of its `2^n` neighbours, in every channel."""
    axes = grid.shape[-1]
    return 2 * 2**axes * x.shape[1] * math.prod(grid.shape[:-1])


def _samples_backward(_: Tensor, x: Tensor, grid: Tensor, *__: object, **___: object) -> int:
    return 2 * _samples(x, grid)


FORMULAS: dict[Any, Callable[..., int]] = {
    **flop_registry,
    aten.convolution_backward: _convolution_backward,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    aten.mv: _matrix_vector,
    aten.dot: _matrix_vector,
    aten.addmv: _added_matrix_vector,
    aten.grid_sampler_2d: _samples,
    aten.grid_sampler_3d: _samples,
    aten.grid_sampler_2d_backward: _samples_backward,
    aten.grid_sampler_3d_backward: _samples_backward,
}
"""From an operation to its FLOPs, given its arguments and `out_val`; two for each multiplication with an addition."""
