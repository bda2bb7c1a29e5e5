"""The running mean square of what a module has seen, for sizes that are relative to the data."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributed import ReduceOp, all_reduce, get_world_size, is_available, is_initialized


class MeanSquare(nn.Module):
    """The mean of squares seen so far, each batch with the same weight; 1 before the first.

    Example:
        >>> seen = MeanSquare()
        >>> seen.update(torch.tensor([1.0, 3.0])), seen.update(torch.tensor([4.0])), float(seen.value)
        (None, None, 3.0)
    """

    value: Tensor
    batches: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("value", torch.ones(()))
        self.register_buffer("batches", torch.zeros(()))

    @torch.no_grad()
    def update(self, squares: Float[Tensor, "*K"]) -> None:
        """Take in the squares of one batch, of which each process has an equal part."""
        self.batches.add_(1)
        self.value.lerp_(_over_processes(squares.mean().to(self.value.dtype)), 1 / self.batches)

    def root(self) -> Float[Tensor, ""]:
        """The root mean square, never 0."""
        return self.value.clamp(min=torch.finfo(self.value.dtype).tiny).sqrt()


def _over_processes(mean: Float[Tensor, ""]) -> Float[Tensor, ""]:
    if not (is_available() and is_initialized()):
        return mean
    total = mean.clone()
    all_reduce(total, ReduceOp.SUM)
    return total / get_world_size()
