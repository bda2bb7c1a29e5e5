"""What is known of the channels of a network while its operations are followed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch.fx import Node

from learnsym.measure.merging.channels import FIXED, Channels, Layout, Segment
from learnsym.measure.merging.network import Network


class Follower:
    """The layouts of the values seen so far, and which spaces turned out to be one."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.layouts: dict[Node, Layout] = {network.source: (Segment(FIXED, network.source.meta["val"].shape[1]),)}
        self.axes: dict[str, dict[int, Layout]] = {}
        self.kernels: set[str] = set()
        self.layers: list[Node] = []
        self.parent: dict[str, str] = {}

    def layout(self, node: Node, value: object) -> Layout:
        """The layout of an argument."""
        if not isinstance(value, Node) or value not in self.layouts:
            raise unsupported(node, "reads a tensor that does not come from the input")
        return self.layouts[value]

    def bind(self, node: Node, weight: object, axis: int, layout: Layout) -> None:
        """Note that an axis of a weight has a layout."""
        if weight is None:
            return
        if not isinstance(weight, Node) or weight not in self.network.names:
            remedy = "torch.nn.utils.parametrize.remove_parametrizations makes it a parameter"
            raise unsupported(node, f"has a weight that is computed; {remedy}")
        known = self.axes.setdefault(self.network.names[weight], {}).setdefault(axis, layout)
        self.join(node, known, layout)

    def join(self, node: Node, a: Layout, b: Layout) -> None:
        """Make two layouts the same."""
        if [(s.channels, s.grid) for s in a] != [(s.channels, s.grid) for s in b]:
            raise unsupported(node, "joins channels that were concatenated or flattened in different ways")
        for s, t in zip(a, b, strict=True):
            # FIXED sorts first and stays the root
            low, high = sorted((self.root(s.space), self.root(t.space)))
            if low != high:
                self.parent[high] = low

    def root(self, space: str) -> str:
        """The space that a space has become part of."""
        while space in self.parent:
            space = self.parent[space]
        return space

    def resolved(self, layout: Layout) -> Layout:
        """The layout in terms of the spaces that are left."""
        return tuple(replace(segment, space=self.root(segment.space)) for segment in layout)

    def channels(self) -> Channels:
        """What was found, once every operation was visited."""
        result = self.network.result
        self.join(result, self.layout(result, result), tuple(replace(s, space=FIXED) for s in self.layouts[result]))
        layouts = {node: self.resolved(layout) for node, layout in self.layouts.items()}
        reads = [node.args[0] for node in self.layers if operation(node) != "batch_norm"]
        return Channels(
            axes={name: {i: self.resolved(a) for i, a in axes.items()} for name, axes in self.axes.items()},
            kernels=frozenset(self.kernels),
            read={node: layouts[node] for node in reads if isinstance(node, Node) and _is_free(layouts[node])},
            written=tuple(node for node in self.layers if _is_free(layouts[node]) and not _is_normalised(node)),
        )


def operation(node: Node) -> str:
    """The name of an operation, the same in place and out of place."""
    target: Any = node.target
    name = target.name() if hasattr(target, "overloadpacket") else getattr(target, "__name__", str(target))
    return name.removeprefix("aten::").partition(".")[0].rstrip("_")


def unsupported(node: Node, why: str = "is none through which channels can be followed") -> ValueError:
    """The error that names an operation and its place in the model."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path = stack[-1][0].removeprefix("model").removeprefix(".") if stack else ""
    return ValueError(
        f"model: the operation {operation(node)} in {path or 'its forward'} {why}; supported are convolutions, linear "
        "layers, batch normalisation, pointwise functions, pools, sums, products, flatten and concatenation"
    )


def _is_free(layout: Layout) -> bool:
    return any(segment.space != FIXED for segment in layout)


def _is_normalised(node: Node) -> bool:
    return all(operation(user) == "batch_norm" for user in node.users)
