"""Group elements are never computed in less than float32."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor


def full_precision(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """A context without autocast; no context at all where autocast is off, so that exported programs stay plain."""
    if torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return contextlib.nullcontext()


def at_least_float32(x: Tensor) -> Tensor:
    """The tensor, or its float32 copy where it has half precision."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
