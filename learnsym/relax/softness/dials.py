"""The softness of one parameter: given, or learned."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import GIVEN, ONE_TRAINING


class FixedSoftness(nn.Module):
    """A softness `b` that is given: 0 is strict, 1 leaves the weights as they are.

    Args:
        value: `b`.

    Raises:
        ValueError: outside of [0, 1].
    """

    value: Tensor
    reason = GIVEN

    def __init__(self, value: float | int) -> None:
        super().__init__()
        if not 0 <= value <= 1:
            raise ValueError(f"value: got {value}, must be in [0, 1]; 0 is strict, 1 changes nothing")
        self.register_buffer("value", torch.tensor(float(value)))

    def forward(self) -> Float[Tensor, ""]:
        """`b`."""
        return self.value

    def extra_repr(self) -> str:
        """`b`."""
        return f"{float(self.value):g}"


class LearnedSoftness(nn.Module):
    """A softness `b = sigmoid(logit)` that a chooser sets, such as the loss on held-out examples (`Bilevel`).

    The training loss alone has no reason to keep a network symmetric, so that it is a poor chooser.

    Args:
        start: `b` at the start.

    Raises:
        ValueError: outside of (0, 1).
    """

    reason = ONE_TRAINING
    over_elements = True
    """Its logit has the rate of parameters of symmetry, and no weight decay, which would pull it to 0.5."""

    def __init__(self, start: float = 0.5) -> None:
        super().__init__()
        if not 0 < start < 1:
            raise ValueError(f"start: got {start}, must be in (0, 1), since the ends cannot be left; take 0.5")
        self.logit = nn.Parameter(torch.tensor(math.log(start / (1 - start))))

    def forward(self) -> Float[Tensor, ""]:
        """`b`."""
        return self.logit.sigmoid()
