"""Which channels can be reordered only together."""

from __future__ import annotations

from torch import Tensor

from learnsym.measure.merging.channels import Channels
from learnsym.measure.merging.follower import Follower, operation, unsupported
from learnsym.measure.merging.network import Network
from learnsym.measure.merging.rules import RULES


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
