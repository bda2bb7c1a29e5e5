"""What is lost on the straight line between two networks.

Legend of axes: `B` examples, `P` points of the line, `C` channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from learnsym.measure.merging.channels import Permutations
from learnsym.measure.merging.line import Line
from learnsym.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class MergeBarrier:
    """What is lost half-way between two networks whose channels are matched, and on the way."""

    barrier: Estimate
    """Drop of accuracy at the midpoint, relative to the mean of the end points; negative for a better midpoint."""
    loss_barrier: Estimate
    """Rise of the cross-entropy at the midpoint over the mean of the end points, in nats."""
    alphas: Float[Tensor, "P"]
    """Share of the second network, from 0 to 1."""
    accuracy: tuple[Estimate, ...]
    """Along the line."""
    loss: tuple[Estimate, ...]
    """Cross-entropy along the line, in nats."""
    permutations: Permutations
    """For each set of channels that can be reordered only together, named after a layer that writes them: channel `i`
    of the first network is matched with channel `permutation[i]` of the second."""


def barrier_of(line: Line, x: Shaped[Tensor, "B ..."], targets: Int[Tensor, "B ..."], points: int) -> MergeBarrier:
    """Accuracy and loss of examples along a line."""
    alphas = torch.linspace(0, 1, points)
    with torch.no_grad():
        outputs = [line.outputs(alpha, x) for alpha in alphas.tolist()]
    accuracy = [_per_example(found.argmax(1) == targets) for found in outputs]
    loss = [_per_example(F.cross_entropy(found.double(), targets, reduction="none")) for found in outputs]
    middle = points // 2
    return MergeBarrier(
        barrier=_relative_drop(accuracy[middle], (accuracy[0] + accuracy[-1]) / 2),
        loss_barrier=Estimate.of(loss[middle] - (loss[0] + loss[-1]) / 2),
        alphas=alphas,
        accuracy=tuple(map(Estimate.of, accuracy)),
        loss=tuple(map(Estimate.of, loss)),
        permutations=line.permutations,
    )


def _relative_drop(middle: Float[Tensor, "B"], ends: Float[Tensor, "B"]) -> Estimate:
    """`1 - mean(middle) / mean(ends)` with the linearised share of each example."""
    if not ends.any():
        raise ValueError("y: no example is classified correctly at the end points; give the classes of the model")
    kept = middle.mean() / ends.mean()
    # r = m/e to first order: r + (m_i - r e_i) / e
    return Estimate.of(1 - kept - (middle - kept * ends) / ends.mean())


def _per_example(values: Tensor) -> Float[Tensor, "B"]:
    return values.double().reshape(len(values), -1).mean(1)
