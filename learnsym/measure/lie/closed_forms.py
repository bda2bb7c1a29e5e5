"""Functions together with their directional derivatives, which share what both need.

Torch computes what depends on the input alone once more for each direction; here it is computed once, and one fused
kernel or product per direction remains. Each takes the inputs `x` with their tangents `dx` and the arguments of the
torch function of its name, and returns the result with its tangent, or None for arguments of which it knows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

aten = torch.ops.aten
Pair = tuple[Tensor, Tensor]


def batch_norm(
    x: Tensor,
    dx: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Pair | None:
    """With running statistics: `dy = γ dx / sqrt(σ² + ε)`."""
    if training or running_mean is None or running_var is None:
        return None
    slope = (running_var + eps).rsqrt() * (1 if weight is None else weight)
    y = F.batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    return y, dx * slope.to(dx).view(-1, *[1] * (x.ndim - 2))


def layer_norm(
    x: Tensor,
    dx: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Pair:
    """`y = γ x̂ + β`; the Jacobian of `x̂` is symmetric, so that its backward pass is its forward derivative."""
    shape = list(normalized_shape)
    y, mean, rstd = torch.native_layer_norm(x, shape, weight, bias, eps)
    # dx̂ = (dx - mean(dx) - x̂ mean(x̂ dx)) / σ
    (dy, _, _) = aten.native_layer_norm_backward(dx, x, shape, mean, rstd, None, None, [True, False, False])
    return y, dy if weight is None else dy * weight


def gelu(x: Tensor, dx: Tensor, approximate: str = "none") -> Pair:
    """`dy = gelu'(x) dx`."""
    slope = aten.gelu_backward(torch.ones_like(x), x, approximate=approximate)
    return F.gelu(x, approximate=approximate), slope * dx


def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, dq: Tensor, dk: Tensor, dv: Tensor, scale: float | None = None
) -> Pair:
    """`y = p v` with `p = softmax(c q kᵀ)`; the Jacobian of a softmax is symmetric too."""
    c = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    q, dq = c * q, c * dq
    p = torch.softmax(q @ k.mT, -1)
    # ds = c (dq kᵀ + q dkᵀ)
    ds = torch.cat([dq, q.expand_as(dq)], -1) @ torch.cat([k.expand_as(dk), dk], -1).mT
    # dp = p (ds - Σ p ds)
    dp = aten._softmax_backward_data(ds, p, -1, p.dtype)
    # dy = dp v + p dv
    return p @ v, dp @ v + p @ dv


OF_ONE: dict[str, Callable[..., Pair | None]] = {"batch_norm": batch_norm, "layer_norm": layer_norm, "gelu": gelu}
"""By name, functions of which the first argument alone moves."""
