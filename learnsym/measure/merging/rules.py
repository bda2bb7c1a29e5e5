"""How each operation passes on the channels of what it reads."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch.fx import Node

from learnsym.measure.merging.channels import Layout, Segment
from learnsym.measure.merging.follower import Follower, unsupported

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
