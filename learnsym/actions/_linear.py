"""Matrices applied to vectors in full precision."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def apply_linear(a: Float[Tensor, "B d d"], v: Float[Tensor, "B *K d"]) -> Float[Tensor, "B *K d"]:
    """`a v` for each vector of an example, in the wider of both dtypes, also under autocast."""
    work = torch.promote_types(a.dtype, v.dtype)
    with torch.autocast(v.device.type, enabled=False):
        flat = v.to(work).reshape(v.shape[0], -1, v.shape[-1])
        return (flat @ a.to(work).transpose(-2, -1)).reshape(v.shape)
