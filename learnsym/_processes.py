"""Numbers of all processes that train together."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed import all_reduce, get_world_size, is_available, is_initialized


def processes() -> int:
    """How many train together."""
    return get_world_size() if is_available() and is_initialized() else 1


@torch.no_grad()
def mean_over_processes(values: Tensor) -> Tensor:
    """The mean of a tensor over all processes; the tensor itself where there is one process."""
    if not (is_available() and is_initialized()):
        return values.detach()
    total = values.detach().clone()
    all_reduce(total)
    return total / get_world_size()


def global_mean(values: Tensor) -> Tensor:
    """The mean over all processes, with the gradient of the own part: averaged over processes it is the mean's."""
    return values + (mean_over_processes(values) - values.detach())
