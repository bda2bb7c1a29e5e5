"""Counting while a network runs: FLOPs of every operation, by layer, and which of them use a weight on data.

Operations of a backward pass belong to the layer of the operation that they differentiate: autograd numbers the nodes
of its graph in the order in which operations ran.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from learnsym.nets.cost.formulas import FORMULAS
from learnsym.nets.cost.layers import Layers
from learnsym.nets.cost.origins import Origin, Origins, joined

METADATA = {"sym_is_contiguous", "is_contiguous", "is_strides_like_format", "is_non_overlapping_and_dense"} | {
    *("size", "sym_size", "stride", "sym_stride", "storage_offset", "sym_storage_offset", "numel", "sym_numel", "dim")
}


class Place(NamedTuple):
    """The layer of an operation, and whether it is done once for a batch, as the expansion of a kernel is."""

    layer: str
    once: bool


@dataclass
class Use:
    """Products of a layer's weights with data: their FLOPs, and how often matrices were applied."""

    flops: float = 0.0
    times: float = 0.0


class FlopCounter(TorchDispatchMode):
    """FLOPs by place of everything that runs, and FLOPs of weights on data by layer until `backward` is set."""

    def __init__(self, layers: Layers, data: list[Tensor]) -> None:
        super().__init__()
        self.layers = layers
        self.origins = Origins(layers.weights(), data)
        self.counted: dict[Place, float] = defaultdict(float)
        self.uses: dict[str, Use] = defaultdict(Use)
        self.used: set[str] = set()
        self.backward = False
        self._nodes: list[int] = []
        self._places: list[Place] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: nothing is compiled while it counts, and torch would import its compiler, which takes seconds."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        if func._schema.name.split("::")[-1] in METADATA:
            return NotImplemented
        if func not in FORMULAS:
            with self:
                decomposed = func.decompose(*args, **kwargs)
            if decomposed is not NotImplemented:
                return decomposed
        out = func(*args, **kwargs)
        self._count(func, args, kwargs, out)
        return out

    def _count(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:  # noqa: ANN401
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        origins = [self.origins.of(tensor) for tensor in tensors]
        place = self._placed(origins)
        formula = FORMULAS.get(func._overloadpacket)
        if formula is not None:
            flops = float(formula(*args, **kwargs, out_val=out))
            self.counted[place] += flops
            self._use(tensors, origins, flops)
        outputs = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        self.origins.note(outputs, tensors, views=func._schema.is_mutable or _shares(outputs, tensors))

    def _use(self, tensors: list[Tensor], origins: list[Origin], flops: float) -> None:
        weights = [(t.numel(), o.weights) for t, o in zip(tensors, origins, strict=True) if o.from_weights]
        if self.backward or not weights or not any(origin.data for origin in origins):
            return
        # the matrix is larger than the bias beside it
        elements, names = max(count for count, _ in weights), frozenset().union(*(names for _, names in weights))
        use = self.uses[self.layers.owner(names)]
        use.flops, use.times = use.flops + flops, use.times + flops / (2 * elements)
        self.used |= names

    def _placed(self, origins: list[Origin]) -> Place:
        """Where an operation belongs; noted for the node of autograd that was made for it, if any."""
        node = torch._C._current_autograd_node()  # pyright: ignore[reportAttributeAccessIssue]
        if node is not None:
            place = self._place_of(node._sequence_nr())
        else:
            weights = frozenset().union(*(origin.weights for origin in origins if not origin.data))
            layer = self.layers.owner(weights) if weights else self.layers.running
            place = Place(layer, once=joined(origins).from_weights)
        newest = torch.autograd._get_sequence_nr() - 1  # pyright: ignore[reportAttributeAccessIssue]
        if not self._nodes or newest > self._nodes[-1]:
            self._nodes.append(newest)
            self._places.append(place)
        return place

    def _place_of(self, node: int) -> Place:
        index = bisect_right(self._nodes, node) - 1
        return self._places[index] if index >= 0 else Place(self.layers.running, once=False)


def _shares(outputs: list[Tensor], inputs: list[Tensor]) -> bool:
    storages = {tensor.untyped_storage()._cdata for tensor in inputs if tensor.layout == torch.strided}
    return any(t.layout == torch.strided and t.untyped_storage()._cdata in storages for t in outputs)
