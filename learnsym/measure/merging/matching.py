"""Which channel of one network does the work of which channel of another, and weights with channels in that order.

Legend of axes: `C` channels of a space, `N` positions in all examples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import scipy
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.fx import Node

from learnsym.measure.merging.channels import Channels, Layout, Segment, places, stretches
from learnsym.measure.merging.network import Network, State, run

Permutations = dict[str, Tensor]
"""For each space the channel of the second network that channel `i` of the first is matched with, `(C,)`."""
Matching = Callable[[Network, Channels, State, State, Tensor, int], Permutations]


def by_activations(
    network: Network, channels: Channels, a: State, b: State, x: Tensor, batch_size: int
) -> Permutations:
    """The assignment of the largest sum of correlations, over positions and examples, between what layers read.

    Channels that do not vary correlate with none and are assigned arbitrarily.

    Reference: Li, Yosinski, Clune, Lipson, Hopcroft, "Convergent learning" (2016), arXiv 1511.07543.
    """
    grams: dict[tuple[Node, int], Tensor] = {}

    def note(node: Node, values: list[Tensor]) -> list[Tensor]:
        for start, segment in stretches(channels.read[node]):
            rows = [_rows(value.narrow(1, start, segment.size), segment) for value in values]
            z = torch.cat([torch.ones_like(rows[0][:1]), *rows])
            grams[node, start] = grams.get((node, start), 0) + z @ z.T
        return values

    for part in x.split(batch_size):
        run(network, [a, b], [part, part], {node: partial(note, node) for node in channels.read})
    similarity = {space: torch.zeros(size, size, dtype=torch.float64) for space, size in channels.sizes.items()}
    for node, layout in channels.read.items():
        for start, segment in stretches(layout):
            if segment.space in similarity:
                similarity[segment.space] += correlation(grams[node, start]).cpu()
    return {space: assignment(s) for space, s in similarity.items()}


def by_weights(network: Network, channels: Channels, a: State, b: State, x: Tensor, batch_size: int) -> Permutations:
    """Permutations that bring the parameters closest, found one space at a time until none gains; needs no data.

    Reference: Ainsworth, Hayase, Srinivasa, "Git Re-Basin" (2023), arXiv 2209.04836.
    """
    axes = {name: axes for name, axes in channels.axes.items() if name in network.parameters}
    permutations = {space: torch.arange(size) for space, size in channels.sizes.items()}
    best = _agreement(axes, a, b, permutations)
    while True:
        tried = dict(permutations)
        for space, size in channels.sizes.items():
            tried[space] = assignment(_overlap(space, size, axes, a, b, tried))
        gained = _agreement(axes, a, b, tried)
        # rounding alone must not keep the search alive
        if gained <= best + 1e-9 * abs(best):
            return permutations
        permutations, best = tried, gained


matchings: dict[str, Matching] = {"activations": by_activations, "weights": by_weights}


def assignment(similarity: Float[Tensor, "C C"]) -> Tensor:
    """For each row its column in the permutation of the largest sum."""
    return torch.from_numpy(scipy.optimize.linear_sum_assignment(similarity.numpy(), maximize=True)[1])


def correlation(gram: Float[Tensor, "D D"]) -> Float[Tensor, "C C"]:
    """Correlations of `a` with `b`, 0 for channels that are constant, from the Gram matrix of the rows `(1, a, b)`."""
    mean = gram[0, 1:] / gram[0, 0]
    covariance = gram[1:, 1:] / gram[0, 0] - mean[:, None] * mean
    scale = covariance.diagonal().clamp(min=0).sqrt()
    c = len(scale) // 2
    return (covariance / (scale[:, None] * scale))[:c, c:].nan_to_num(0, 0, 0).clamp(-1, 1)


def permuted(tensor: Tensor, axes: dict[int, Layout], permutations: Permutations) -> Tensor:
    """A weight with its channels in the order of the permutations."""
    for axis, layout in axes.items():
        parts = [start + _order(segment, permutations) for start, segment in stretches(layout)]
        tensor = tensor.index_select(axis, torch.cat(parts).to(tensor.device))
    return tensor


def permuted_state(state: State, channels: Channels, permutations: Permutations) -> State:
    """All weights with their channels in the order of the permutations: the same function of the input."""
    return {name: permuted(value, channels.axes.get(name, {}), permutations) for name, value in state.items()}


def _rows(value: Tensor, segment: Segment) -> Float[Tensor, "C N"]:
    """One row per channel: over examples and positions, of an image or flattened."""
    return value.reshape(len(value), segment.channels, -1).transpose(0, 1).flatten(1).double()


def _overlap(
    space: str, size: int, axes: dict[str, dict[int, Layout]], a: State, b: State, permutations: Permutations
) -> Float[Tensor, "C C"]:
    """Inner products of the weights of each channel of `a` with those of each channel of `b`."""
    total = torch.zeros(size, size, dtype=torch.float64)
    for name, axis, start, segment in places(axes, space):
        others = {i: layout for i, layout in axes[name].items() if i != axis}
        pair = a[name], permuted(b[name], others, permutations)
        of_a, of_b = (w.narrow(axis, start, segment.size).movedim(axis, 0).reshape(size, -1).double() for w in pair)
        total += (of_a @ of_b.T).cpu()
    return total


def _agreement(axes: dict[str, dict[int, Layout]], a: State, b: State, permutations: Permutations) -> float:
    pairs = ((a[name], permuted(b[name], layouts, permutations)) for name, layouts in axes.items())
    return sum(float((p.double() * q.double()).sum()) for p, q in pairs)


def _order(segment: Segment, permutations: Permutations) -> Int[Tensor, "N"]:
    """Where the entries of a segment come from, counted from its start."""
    order = permutations.get(segment.space, torch.arange(segment.channels)).cpu()
    positions = math.prod(segment.grid)
    return (order[:, None] * positions + torch.arange(positions)).flatten()
