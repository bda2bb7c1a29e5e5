"""Lie derivatives of a model, a batch at a time: what moving the input does, and what moving the output does.

Legend of axes: `G` generators, `B` examples of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure._probe import Model, Output, check_outputs
from learnsym.measure._reader import Reader
from learnsym.measure.lie.flow import Derivative
from learnsym.measure.lie.forward import Backend, differentiating, linearise
from learnsym.measure.lie.generator import operator_of
from learnsym.measure.lie.missed import is_missed
from learnsym.parts import Whole, device_of, split, tensors_in
from learnsym.symmetry import Symmetry

MISSED = (
    "model: its output changes with x but has no derivative, or another one (NumPy, .item(), rounding, quantised "
    "weights, a backward of its own); measure what comes before that step, or pass backend='differences'"
)


LARGE = 2**18
"""Numbers of a batch from which on memory counts for more than calls."""


class LieDerivatives(NamedTuple):
    """Outputs of a batch, and both terms of `L f(x) = J_f(x) A x - A f(x)` for each generator."""

    y: Float[Tensor, "B ..."]
    of_input: Float[Tensor, "G B ..."]
    of_output: Float[Tensor, "G B ..."]
    backend: str


def lie_derivatives(
    model: Model,
    x: Whole,
    symmetry: Symmetry,
    places: Sequence[int],
    derivative: Derivative = "spectral",
    output: Output | None = None,
    batch_size: int = 16,
    backend: Backend = "auto",
) -> Iterator[LieDerivatives]:
    """The derivatives of one batch after the other, with the model in evaluation mode.

    Args:
        model: any callable of a batch.
        x: examples.
        symmetry: how generators move inputs, or one part of them, and outputs.
        places: of the generators among those of the group.
        derivative: of images and volumes, see `flow`.
        output: takes the tensor out of what the model returns.
        batch_size: examples per call of the model; half as many of large ones on a CPU, whose memory then suffices
            for derivatives too.
        backend: see `linearise`.

    Raises:
        ValueError: when outputs are not finite, have no derivative, or are not what the symmetry moves.
    """
    on_input, on_output = (
        [operator_of(action, symmetry.group, place, derivative) for place in places]
        for action in (symmetry.on_input.within, symmetry.on_output)
    )
    with differentiating(model, x, output, batch_size) as (read, x):
        first = 0
        for whole in split(x, _with_derivatives(read, x)):
            part, f = symmetry.moving(whole), read.of_part(symmetry.on_input.part, whole).real
            tangents = torch.stack([operator(part) for operator in on_input])
            y, moved, how = linearise(f, part, tangents, backend)
            check_outputs(y, first)
            if first == 0 and not how.startswith("differences") and is_missed(f, part, tangents, y, moved):
                raise ValueError(MISSED)
            first += len(part)
            symmetry.on_output.check_data(symmetry.group, y)
            yield LieDerivatives(y, moved, torch.stack([operator(y) for operator in on_output]), how)


def _with_derivatives(read: Reader, x: Whole) -> int:
    """Examples per call that carries derivatives, of which there are as many numbers as of the outputs of layers."""
    size = read.batch_size
    numbers = sum(t[:size].numel() for _, t in tensors_in(x))
    halves = size >= 4 and read.least == 1 and numbers >= LARGE and device_of(x).type == "cpu"
    return (size + 1) // 2 if halves else size
