"""Which axes of which weights are channels of which space, followed from the input of a network to its output.

A space is a set of channels that can be reordered only together, such as those of a residual stream.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor
from torch.fx import Node

from learnsym.measure.merging.network import Network

FIXED = ""
"""The space of inputs and outputs, whose channels have a meaning and stay where they are."""


@dataclass(frozen=True)
class Segment:
    """A stretch of an axis: the channels of one space, each of them a grid of positions that were flattened."""

    space: str
    channels: int
    grid: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Entries of the axis."""
        return self.channels * math.prod(self.grid)


Layout = tuple[Segment, ...]


@dataclass(frozen=True, eq=False)
class Channels:
    """Where a network holds its channels."""

    axes: dict[str, dict[int, Layout]]
    """Of each entry of the state, the axes that hold channels."""
    kernels: frozenset[str]
    """Entries of the state `(O, I, h, w)` with a kernel on the plane."""
    read: dict[Node, Layout]
    """Values that convolutions and linear layers read."""
    written: tuple[Node, ...]
    """Values that hidden layers write, after their batch normalisation where there is one."""

    @property
    def sizes(self) -> dict[str, int]:
        """Number of channels of each space that can be reordered."""
        layouts = [layout for axes in self.axes.values() for layout in axes.values()]
        return {s.space: s.channels for layout in layouts for s in layout if s.space != FIXED}


def stretches(layout: Layout) -> Iterator[tuple[int, Segment]]:
    """Each segment with the entry of the axis where it begins."""
    start = 0
    for segment in layout:
        yield start, segment
        start += segment.size


def places(axes: dict[str, dict[int, Layout]], space: str) -> Iterator[tuple[str, int, int, Segment]]:
    """Each weight, axis and first entry where the channels of a space are."""
    for name, layouts in axes.items():
        for axis, layout in layouts.items():
            yield from ((name, axis, start, s) for start, s in stretches(layout) if s.space == space)


def follow(network: Network) -> Channels:
    """The channels of a network, followed from its input to its output.

    Raises:
        ValueError: for an operation through which channels cannot be followed, by name.
    """
    follower = Follower(network)
    for node in network.graph.nodes:
        reads_channels = any(read in follower.layouts for read in node.all_input_nodes)
        # sizes and assertions read values, too, but are no tensors
        if node.op != "call_function" or not reads_channels or not isinstance(node.meta.get("val"), Tensor):
            continue
        if operation(node) not in RULES:
            raise unsupported(node)
        follower.layouts[node] = RULES[operation(node)](follower, node)
    return follower.channels()


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


Rule = Callable[[Follower, Node], Layout]


def _convolution(follower: Follower, node: Node) -> Layout:
    x, weight, bias = _arguments(node, 3)
    layout = follower.layout(node, x)
    width = sum(segment.size for segment in layout)
    rows, columns = _shape(weight)[:2]
    is_depthwise = columns == 1 and rows == width
    if columns != width and not is_depthwise:
        raise unsupported(node, "has groups of several channels, which cannot be reordered freely")
    if columns == width:
        follower.bind(node, weight, 1, layout)
        layout = _new_space(follower, weight, rows)
    follower.bind(node, weight, 0, layout)
    follower.bind(node, bias, 0, layout)
    follower.kernels.add(follower.network.names[weight])
    follower.layers.append(node)
    return layout


def _linear(follower: Follower, node: Node) -> Layout:
    x, weight, bias = _arguments(node, 3)
    if len(_shape(x)) != 2:
        raise unsupported(node, "acts on the last axis, which does not hold the channels")
    follower.bind(node, weight, 1, follower.layout(node, x))
    layout = _new_space(follower, weight, _shape(weight)[0])
    follower.bind(node, weight, 0, layout)
    follower.bind(node, bias, 0, layout)
    follower.layers.append(node)
    return layout


def _batch_norm(follower: Follower, node: Node) -> Layout:
    x, *state = _arguments(node, 5)
    for entry in state:
        follower.bind(node, entry, 0, follower.layout(node, x))
    follower.layers.append(node)
    return follower.layout(node, x)


def _pointwise(follower: Follower, node: Node) -> Layout:
    """Values of one layout; weights with an axis for channels and no other are broadcast over the rest."""
    layout = follower.layout(node, next(read for read in node.all_input_nodes if read in follower.layouts))
    for read in node.all_input_nodes:
        if read in follower.network.names and _shape(read).numel() > 1:
            follower.bind(node, read, _channel_axis(node, read), layout)
        elif read not in follower.network.names:
            follower.join(node, layout, follower.layout(node, read))
    return layout


def _per_plane(follower: Follower, node: Node) -> Layout:
    if len(_shape(node.args[0])) != 4:
        raise unsupported(node, "pools an axis other than those of the image")
    return follower.layout(node, node.args[0])


def _reduction(follower: Follower, node: Node) -> Layout:
    x, axes = _arguments(node, 2)
    axes = [axes] if isinstance(axes, int) else axes or [0]
    if any(axis % len(_shape(x)) < 2 for axis in axes):
        raise unsupported(node, "reduces over channels or examples")
    return follower.layout(node, x)


def _reshape(follower: Follower, node: Node) -> Layout:
    before, after = _shape(node.args[0]), _shape(node)
    layout = follower.layout(node, node.args[0])
    if len(after) > 1 and after[1] == before[1]:
        return layout
    if len(before) != 4 or len(after) != 2 or after[1] != math.prod(before[1:]):
        raise unsupported(node, f"changes {tuple(before[1:])} into {tuple(after[1:])}, which mixes channels")
    return tuple(replace(segment, grid=tuple(before[2:])) for segment in layout)


def _concatenation(follower: Follower, node: Node) -> Layout:
    parts, axis = (*node.args, 0)[:2]
    if not isinstance(parts, list | tuple) or axis not in (1, 1 - len(_shape(node))):
        raise unsupported(node, "concatenates along an axis other than channels")
    return tuple(segment for part in parts for segment in follower.layout(node, part))


def _arguments(node: Node, count: int) -> tuple[Any, ...]:
    return (*node.args, *[None] * count)[:count]


def _shape(value: Any) -> Any:  # noqa: ANN401  sizes may be symbols
    return value.meta["val"].shape


def _new_space(follower: Follower, weight: Node, channels: int) -> Layout:
    return (Segment(follower.network.names[weight].removesuffix(".weight"), channels),)


def _channel_axis(node: Node, weight: Node) -> int:
    """The axis of a broadcast weight that meets the channels, axis 1 of the value."""
    axis = 1 - len(_shape(node)) + len(_shape(weight))
    if axis < 0 or _shape(weight)[axis] != _shape(weight).numel():
        raise unsupported(node, "has a weight that differs between positions")
    return axis


def _table(rules: dict[str, Rule]) -> dict[str, Rule]:
    return {name: rule for names, rule in rules.items() for name in names.split()}


RULES = _table(
    {
        "conv2d": _convolution,
        "linear": _linear,
        "batch_norm": _batch_norm,
        "relu hardtanh leaky_relu elu celu selu gelu silu mish sigmoid tanh softplus hardswish hardsigmoid": _pointwise,
        "add sub rsub mul div neg pow abs clamp softmax log_softmax": _pointwise,
        "dropout feature_dropout clone contiguous detach to": _pointwise,
        "max_pool2d avg_pool2d adaptive_avg_pool2d upsample_nearest2d upsample_bilinear2d": _per_plane,
        "mean sum amax": _reduction,
        "flatten view reshape squeeze unsqueeze slice": _reshape,
        "cat": _concatenation,
    }
)


def _is_free(layout: Layout) -> bool:
    return any(segment.space != FIXED for segment in layout)


def _is_normalised(node: Node) -> bool:
    return all(operation(user) == "batch_norm" for user in node.users)
