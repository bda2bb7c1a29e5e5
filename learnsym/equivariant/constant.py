"""Constants of a layer, and bases, in which its weights are coefficients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

SAME = 1e-2
"""Difference of marks up to which bases are the same: they may have been in bfloat16. Other bases differ by about 1."""


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


class Basis(Constant):
    """Basis vectors `(K, ...)` of which a layer adds multiples: its weights mean nothing in another basis.

    The state holds one number of each vector, its product with fixed waves, by which weights that are coefficients in
    another basis are refused: those of another version, or where a library had other bases on another machine.
    """

    def __init__(self, value: Tensor) -> None:
        super().__init__(value)
        vectors = self._exact.double().flatten(1)
        waves = torch.arange(1.0, vectors.shape[1] + 1, dtype=torch.float64, device="cpu").sqrt().cos()
        self.mark = vectors @ waves

    def get_extra_state(self) -> Tensor:
        """One number of each vector."""
        return self.mark

    def set_extra_state(self, state: Tensor) -> None:
        """Refuse the mark of another basis.

        Raises:
            ValueError: when the weights beside it are coefficients in another basis.
        """
        if state.shape != self.mark.shape or not torch.allclose(state.double().cpu(), self.mark, atol=SAME, rtol=SAME):
            raise ValueError(
                "state_dict: its weights are coefficients in another basis of kernels than that of this layer; load "
                "them with the version that made them, or train again"
            )
