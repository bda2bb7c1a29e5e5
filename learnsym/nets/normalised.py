"""A network behind the normalisation that it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Normalised(nn.Module):
    """`net((x - mean) / std)` per channel, so that symmetries act on raw images with values in [0, 1].

    Args:
        net: takes normalised images.
        mean: one per channel.
        std: one per channel.

    Example:
        >>> net = ls.nets.Normalised(nn.Identity(), mean=[0.5], std=[0.25])
        >>> net(torch.ones(1, 1, 1, 1)).item()
        2.0
    """

    def __init__(self, net: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.net = net
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Any:  # noqa: ANN401  whatever the network returns
        """What `net` says."""
        return self.net((x - self.mean) / self.std)
