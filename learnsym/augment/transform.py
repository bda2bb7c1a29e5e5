"""Copies of a batch moved by group elements, and a network averaged over them: pure functions.

Legend of axes: `S` group samples (copies), `B` batch, `n` matrix size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Action, Invariant
from learnsym.augment.averages import Average
from learnsym.distributions import full_precision
from learnsym.parts import Whole, repeated
from learnsym.symmetry import Symmetry


def move(action: Action, g: Float[Tensor, "S B n n"], x: Whole) -> Whole:
    """Each example moved by each of its elements, as one batch `(S B, ...)` in the order of copies.

    Of structured data one part moves; the others are repeated.
    """
    with full_precision(g.device):
        return action(g.flatten(0, 1), repeated(x, len(g)))


def averaged(
    net: Callable[[Whole], Whole], symmetry: Symmetry, g: Float[Tensor, "S B n n"], x: Whole, average: Average
) -> Tensor:
    """The average over copies of `g^{-1} · net(g · x)`, computed on one concatenated batch; shape `(B, ...)`.

    Args:
        net: from a batch to a batch.
        symmetry: how elements move inputs and outputs; of structured ones, which part.
        g: elements, one per copy and example.
        x: inputs `(B, ...)`, or a structure of them.
        average: from stacked outputs `(S, B, ...)` to `(B, ...)`.
    """
    y = symmetry.output(net(move(symmetry.on_input, g, x)))
    if len(y) != g.shape[0] * g.shape[1]:
        raise ValueError(
            f"net: gave {len(y)} outputs for {g.shape[0] * g.shape[1]} inputs; must keep the batch axis first"
        )
    on_output = symmetry.on_output.within
    if not isinstance(on_output, Invariant):
        with full_precision(y.device):
            y = on_output(symmetry.group.inverse(g.flatten(0, 1)), y)
    return average(torch.unflatten(y, 0, (g.shape[0], g.shape[1])))
