"""Whether the networks of an inference fit into the memory that it may take, asked before any of them is trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from learnsym.inference.candidates import Candidate
from learnsym.inference.labels import rows_of as rows_of_labels
from learnsym.inference.networks import features_of
from learnsym.inference.views import view_of
from learnsym.measure.closure import rows_of as rows_of_sides
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.networks import default_network
from learnsym.measure.pose.reader import rows_read
from learnsym.measure.pose.space import rows_of as rows_of_space

SOME = 2
"""Examples that are enough to tell the sizes of all networks."""


def check_room(x: Tensor, candidates: Sequence[Candidate], has_labels: bool, memory: float) -> None:
    """Refuse a limit within which a network of an inference cannot be trained.

    Args:
        x: examples.
        candidates: of these data.
        has_labels: whether labels are asked, too.
        memory: of one process, in GiB.

    Raises:
        ValueError: one sentence with what is needed.
    """
    few = x[:SOME]
    for candidate in candidates:
        if candidate.symmetry is None:
            continue
        action = candidate.symmetry.on_input
        if candidate.stage == "law":
            view = view_of(few, candidate)
            axis = PoseAxis.of(view.symmetry, candidate.name, view.moves)
            rows_read(axis, view.x, view.network, memory)
        elif candidate.stage == "closure":
            rows_of_sides(lambda bins, action=action: default_network(action, few, bins, closed=False), few, memory)
        else:
            rows_of_space(default_network(action, few, 1, closed=True), few, memory)
    if has_labels:
        with torch.random.fork_rng(devices=[]):
            rows_of_labels(features_of(few), few, memory)
