"""Small buffers on the host, read from the device only after they were written: reading holds a GPU up."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor


class ReadOnce:
    """The values of one tensor as lists and numbers, read anew when it is another one or was written to.

    Example:
        >>> alive, read = torch.ones(2, dtype=torch.bool), ls._read_once.ReadOnce()
        >>> read(alive)
        [True, True]
        >>> alive[0] = False
        >>> read(alive)
        [False, True]
    """

    def __init__(self) -> None:
        self._known: tuple[weakref.ref[Tensor], int, Any] | None = None

    def __call__(self, tensor: Tensor) -> Any:  # noqa: ANN401  as of `tolist`
        """Those of a tensor."""
        if torch.compiler.is_compiling() or tensor.is_inference():  # which count no writes
            return tensor.tolist()
        if self._known is None or self._known[0]() is not tensor or self._known[1] != tensor._version:
            self._known = weakref.ref(tensor), tensor._version, tensor.tolist()
        return self._known[2]

    def __reduce__(self) -> tuple[type[ReadOnce], tuple[()]]:
        return ReadOnce, ()
