"""Held-out examples as users give them: a data set, or inputs and targets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from learnsym.measure._inputs import as_tensors
from learnsym.parts import Whole, examples
from learnsym.ragged import Ragged

LEAST = 20
"""Held-out examples."""


def held_out(data: Any, net: nn.Module) -> tuple[Whole, Tensor]:  # noqa: ANN401
    """Inputs as floats, and targets.

    Raises:
        ValueError: for no targets, Ragged ones, targets of another number, or fewer than 20 examples.
    """
    x, y = (data.inputs, data.y) if hasattr(data, "inputs") else data
    if isinstance(y, Ragged):
        raise ValueError(
            "data: has Ragged targets, of which no likelihood is known here; give one tensor, such as energies"
        )
    x, y = as_tensors(x, net), torch.as_tensor(y)
    if y.shape[1:] == (0,):
        raise ValueError("data: has no targets, of which a likelihood would be; give examples with targets")
    if examples(x) < LEAST or len(y) != examples(x):
        raise ValueError(
            f"data: got {examples(x)} held-out examples with {len(y)} targets, must be as many and at least {LEAST}; "
            "hold out more"
        )
    return x, y
