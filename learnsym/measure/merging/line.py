"""The straight line between two networks whose channels are matched, and its repair.

REPAIR: an interpolated network is given the mean and spread of every channel that its end points have. After a layer
with batch normalisation it does what resetting the statistics does.

Reference: Jordan, Sedghi, Saukh, Entezari, Neyshabur, "REPAIR" (2023), arXiv 2211.08403.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.fx import Node

from learnsym.measure.merging.channels import Channels
from learnsym.measure.merging.matching import Matching, Permutations, permuted_state
from learnsym.measure.merging.network import Edit, Network, State, run


@dataclass(frozen=True, eq=False)
class Line:
    """The networks with weights between those of two end points."""

    network: Network
    ends: tuple[State, State]
    moments: tuple[dict[Node, Moments], dict[Node, Moments]]
    """What repair restores, at the end points; empty for no repair."""
    permutations: Permutations
    images: Tensor
    """Calibrate the repair."""
    batch_size: int

    def outputs(self, alpha: float, x: Tensor) -> Tensor:
        """What the network at a share `alpha` of the second end point makes of examples."""
        # θ, P(g·θ) -> (1 - α) θ + α P(g·θ)
        state = {name: _lerp(value, self.ends[1][name], alpha) for name, value in self.ends[0].items()}
        wanted = {node: moments.lerp(self.moments[1][node], alpha) for node, moments in self.moments[0].items()}
        corrections = corrections_for(self.network, state, wanted, self.images, self.batch_size) if wanted else {}
        return torch.cat([run(self.network, [state], [part], corrections)[0] for part in x.split(self.batch_size)])


def connect(
    network: Network,
    channels: Channels,
    other: State,
    images: Tensor,
    matching: Matching,
    repair: bool,
    batch_size: int,
) -> Line:
    """The line from a network to other weights of it, their channels matched and moments calibrated on images."""
    with torch.no_grad():
        permutations = matching(network, channels, network.state, other, images, batch_size)
        # g·θ -> P(g·θ)
        ends = (network.state, permuted_state(other, channels, permutations))
        repaired = channels.written if repair else ()
        first, second = (moments_of(network, repaired, state, images, batch_size) for state in ends)
    return Line(network, ends, (first, second), permutations, images, batch_size)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of each channel over examples and positions."""

    mean: Float[Tensor, "C"]
    std: Float[Tensor, "C"]

    @staticmethod
    def of(parts: list[Tensor]) -> Moments:
        """Of values `(B_i, C, ...)`."""
        over = [0, *range(2, parts[0].ndim)]
        count = sum(part[:, 0].numel() for part in parts)
        mean = torch.stack([part.sum(over, dtype=torch.float64) for part in parts]).sum(0) / count
        centre = _along_channels(mean, parts[0])
        squares = torch.stack([(part - centre).square().sum(over, dtype=torch.float64) for part in parts])
        return Moments(mean, (squares.sum(0) / count).sqrt())

    def lerp(self, other: Moments, alpha: float) -> Moments:
        """Those between these and others."""
        return Moments(self.mean.lerp(other.mean, alpha), self.std.lerp(other.std, alpha))


@dataclass(frozen=True)
class Correction:
    """The affine map of each channel that gives it other moments."""

    scale: Float[Tensor, "C"]
    shift: Float[Tensor, "C"]

    @staticmethod
    def between(own: Moments, wanted: Moments) -> Correction:
        """From its own moments to the wanted ones; a constant channel stays constant."""
        scale = torch.where(own.std > 0, wanted.std / own.std, 1.0)
        return Correction(scale, wanted.mean - scale * own.mean)

    def __call__(self, values: list[Tensor]) -> list[Tensor]:
        scale, shift = (_along_channels(numbers, values[0]) for numbers in (self.scale, self.shift))
        return [value * scale + shift for value in values]


def moments_of(
    network: Network, written: Iterable[Node], state: State, x: Tensor, batch_size: int
) -> dict[Node, Moments]:
    """The moments of all that hidden layers write."""
    moments: dict[Node, Moments] = {}

    def note(node: Node, values: list[Tensor]) -> list[Tensor]:
        moments[node] = Moments.of(values)
        return values

    _run_together(network, state, x, batch_size, {node: partial(note, node) for node in written})
    return moments


def corrections_for(
    network: Network, state: State, wanted: Mapping[Node, Moments], x: Tensor, batch_size: int
) -> dict[Node, Correction]:
    """What gives all hidden layers the wanted moments, found layer by layer: each reads what is corrected already."""
    corrections: dict[Node, Correction] = {}

    def correct(node: Node, values: list[Tensor]) -> list[Tensor]:
        corrections[node] = Correction.between(Moments.of(values), wanted[node])
        return corrections[node](values)

    _run_together(network, state, x, batch_size, {node: partial(correct, node) for node in wanted})
    return corrections


def _lerp(a: Tensor, b: Tensor, alpha: float) -> Tensor:
    return a.lerp(b, alpha) if a.is_floating_point() else a


def _run_together(network: Network, state: State, x: Tensor, batch_size: int, edits: Mapping[Node, Edit]) -> None:
    parts = x.split(batch_size)
    run(network, [state] * len(parts), parts, edits)


def _along_channels(numbers: Float[Tensor, "C"], value: Tensor) -> Tensor:
    """One number per channel, to be broadcast over examples and positions."""
    return numbers.to(value).reshape(-1, *[1] * (value.ndim - 2))
