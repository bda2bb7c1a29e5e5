"""Constants of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Constant(nn.Module):
    """A tensor that follows the device and the dtype of its module but is kept in double precision beside it.

    A buffer that was once float32 has lost its digits when the module goes to float64; this one has them. It is not
    part of `state_dict`, since the layer that owns it can compute it.
    """

    value: Tensor

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self._exact = value.detach().cpu()
        dtype = torch.get_default_dtype() if value.is_floating_point() else value.dtype
        self.register_buffer("value", value.to(dtype), persistent=False)

    def forward(self) -> Tensor:
        """The tensor."""
        return self.value

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:  # noqa: ANN401
        module = super()._apply(fn, recurse)
        if self.value.is_floating_point() and not self.value.is_meta:
            self.value = self._exact.to(self.value)
        return module

    def extra_repr(self) -> str:
        """Shape."""
        return str(tuple(self.value.shape))
