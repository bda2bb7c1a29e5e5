"""The straight line between two networks whose channels are matched."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.fx import Node

from learnsym.measure.merging.channels import Channels, Permutations, permuted_state
from learnsym.measure.merging.matching import Matching
from learnsym.measure.merging.network import Network, State, run
from learnsym.measure.merging.repair import Moments, corrections_for, moments_of


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
        ends = (network.state, permuted_state(other, channels, permutations))
        repaired = channels.written if repair else ()
        first, second = (moments_of(network, repaired, state, images, batch_size) for state in ends)
    return Line(network, ends, (first, second), permutations, images, batch_size)


def _lerp(a: Tensor, b: Tensor, alpha: float) -> Tensor:
    return a.lerp(b, alpha) if a.is_floating_point() else a
