"""Where numbers come from while a network runs: from which weights, or from the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor


class Origin(NamedTuple):
    """What a tensor depends on; what depends on data no longer lists weights, and constants depend on nothing."""

    weights: frozenset[str] = frozenset()
    data: bool = False

    @property
    def from_weights(self) -> bool:
        """Whether the tensor depends on weights and not on data."""
        return bool(self.weights) and not self.data


CONSTANT, DATA = Origin(), Origin(data=True)


class Origins:
    """Origins by storage, so that views, copies in place and detached tensors have those of what they show."""

    def __init__(self, weights: Mapping[str, Tensor], data: Iterable[Tensor]) -> None:
        self._of_storage: dict[int, Origin] = {}
        for name, weight in weights.items():
            self._write(weight, Origin(frozenset([name])))
        for tensor in data:
            self._write(tensor, DATA)

    def of(self, tensor: Tensor) -> Origin:
        """The origin of a tensor; constant where none was noted."""
        return self._of_storage.get(_storage(tensor), CONSTANT)

    def note(self, outputs: Iterable[Tensor], inputs: Iterable[Tensor], views: bool) -> None:
        """An operation was run; a storage whose address was used before is overwritten unless outputs are views."""
        origin = joined(self.of(tensor) for tensor in inputs)
        for tensor in outputs:
            self._write(tensor, joined([origin, self.of(tensor)]) if views else origin)

    def _write(self, tensor: Tensor, origin: Origin) -> None:
        self._of_storage[_storage(tensor)] = origin


def joined(origins: Iterable[Origin]) -> Origin:
    """The origin of what depends on all of these."""
    weights: frozenset[str] = frozenset()
    for origin in origins:
        if origin.data:
            return DATA
        weights |= origin.weights
    return Origin(weights)


def _storage(tensor: Tensor) -> int:
    if tensor.layout != torch.strided:
        return id(tensor)
    return tensor.untyped_storage()._cdata
