"""Constants of formulas, which lie on the host, where they are used."""

from __future__ import annotations

from torch import Tensor


def constant(table: Tensor, like: Tensor) -> Tensor:
    """A small constant in the dtype and on the device of `like`, without a wait for the device."""
    return table.to(dtype=like.dtype).to(device=like.device, non_blocking=True)
