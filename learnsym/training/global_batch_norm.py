"""Batch normalisation over the batch of all processes, so that data parallelism gives what one process gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from learnsym.equivariant.normalisation import NormScale
from learnsym.training import distributed

BatchNorm = nn.modules.batchnorm._BatchNorm


@contextmanager
def global_batch_norm(model: nn.Module) -> Iterator[None]:
    """Within the context, the batch norms of a model in training take mean and variance over all processes.

    Each process has an equal part of the batch. `torch.nn.SyncBatchNorm` does the same on GPUs alone, and it needs the
    modules replaced; here they stay what they are. Without several processes nothing is changed.
    """
    modules = list(model.modules()) if distributed.world() > 1 else []
    norms = [module for module in modules if isinstance(module, BatchNorm)]
    scales = [module for module in modules if isinstance(module, NormScale)]
    for norm in norms:
        vars(norm)["forward"] = partial(_forward, norm)
    for scale in scales:
        vars(scale)["mean_square"] = _mean_square
    try:
        yield
    finally:
        for norm in norms:
            del vars(norm)["forward"]
        for scale in scales:
            del vars(scale)["mean_square"]


def _forward(norm: BatchNorm, x: Tensor) -> Tensor:
    if not norm.training:  # evaluation may run in one process alone
        return type(norm).forward(norm, x)
    mean, variance = _moments(x.float())
    _track(norm, mean.detach(), variance.detach(), x.numel() // x.shape[1] * distributed.world())
    shape = _along_channels(x)
    scale = (variance + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    y = (x - mean.view(shape)) * scale.view(shape)
    return (y + norm.bias.view(shape) if norm.affine else y).to(x.dtype)


@torch.no_grad()
def _track(norm: BatchNorm, mean: Tensor, variance: Tensor, count: int) -> None:
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked += 1
    rate = 1.0 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, rate)
    norm.running_var.lerp_(variance * (count / (count - 1)), rate)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    # in two passes: the mean square less the squared mean loses digits
    axes = [axis for axis in range(x.dim()) if axis != 1]
    mean = all_reduce(x.mean(axes)) / distributed.world()
    return mean, all_reduce((x - mean.view(_along_channels(x))).square().mean(axes)) / distributed.world()


def _mean_square(x: Tensor) -> Tensor:
    return all_reduce(NormScale.mean_square(x)) / distributed.world()


def _along_channels(x: Tensor) -> list[int]:
    return [1, -1, *[1] * (x.dim() - 2)]
