"""Which axes of which weights are channels of which space, and what moves them: permutations and planar elements.

A space is a set of channels that can be reordered only together, such as those of a residual stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.fx import Node

from learnsym.actions._lattice import act_on_lattice
from learnsym.measure.merging.network import State

FIXED = ""
"""The space of inputs and outputs, whose channels have a meaning and stay where they are."""

Permutations = dict[str, Tensor]
"""For each space the channel of the second network that channel `i` of the first is matched with, `(C,)`."""


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


def permuted(tensor: Tensor, axes: dict[int, Layout], permutations: Permutations) -> Tensor:
    """A weight with its channels in the order of the permutations."""
    for axis, layout in axes.items():
        parts = [start + _order(segment, permutations) for start, segment in stretches(layout)]
        tensor = tensor.index_select(axis, torch.cat(parts).to(tensor.device))
    return tensor


def permuted_state(state: State, channels: Channels, permutations: Permutations) -> State:
    """All weights with their channels in the order of the permutations: the same function of the input."""
    return {name: permuted(value, channels.axes.get(name, {}), permutations) for name, value in state.items()}


def moved_state(state: State, channels: Channels, element: Float[Tensor, "n n"]) -> State:
    """The weights of the transformed copy `x -> g·f(g^-1 x)`: all kernels and flattened grids moved by `g`.

    Raises:
        ValueError: when the element does not map the points of a kernel onto points of the kernel.
    """
    return {name: _moved(name, value, channels, element) for name, value in state.items()}


def _moved(name: str, value: Tensor, channels: Channels, element: Tensor) -> Tensor:
    if name in channels.kernels:
        value = _on_plane(name, value, element)
    for axis, layout in channels.axes.get(name, {}).items():
        parts = value.movedim(axis, 0).split([segment.size for segment in layout])
        grids = [_on_grid(name, part, s, element) if s.grid else part for part, s in zip(parts, layout, strict=True)]
        value = torch.cat(grids).movedim(0, axis)
    return value


def _on_grid(name: str, value: Tensor, segment: Segment, element: Tensor) -> Tensor:
    """`(C h w, *rest)` with the grids `h x w` moved."""
    planes = value.flatten(1) if value.ndim > 1 else value[:, None]
    planes = planes.unflatten(0, (segment.channels, *segment.grid)).permute(0, 3, 1, 2)
    return _on_plane(name, planes, element).permute(0, 2, 3, 1).reshape(value.shape)


def _on_plane(name: str, value: Tensor, element: Tensor) -> Tensor:
    found = act_on_lattice(value, element.detach().expand(len(value), -1, -1))
    if found is None:
        raise ValueError(
            f"element: got {element.tolist()}, which does not map the {value.shape[-2]}x{value.shape[-1]} grid of "
            f"{name} onto itself; use flips, half turns, or on square grids quarter turns"
        )
    return found


def _order(segment: Segment, permutations: Permutations) -> Int[Tensor, "N"]:
    """Where the entries of a segment come from, counted from its start."""
    order = permutations.get(segment.space, torch.arange(segment.channels)).cpu()
    positions = math.prod(segment.grid)
    return (order[:, None] * positions + torch.arange(positions)).flatten()
