"""What a step of training is made of: the objective as one module, compiled or not, and a batch on its device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.objectives import Loss, Objective
from learnsym.parts import mapped
from learnsym.training.config import TrainConfig


class Step(nn.Module):
    """The objective as a forward pass, so that data parallelism and autocast see one module."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, batch: object) -> tuple[Tensor, dict[str, Tensor]]:
        loss = self.objective(self.model, batch)
        if not isinstance(loss, Loss):
            given = type(loss).__name__
            raise ValueError(
                f"objective: returned {given}, must return a Loss; wrap a function in objectives.Supervised"
            )
        return loss.total, {name: part.detach() for name, part in loss.parts.items()}


@contextmanager
def compiled(model: nn.Module, train: TrainConfig) -> Iterator[None]:
    """Compile the model in place, for the time of the fit."""
    saved = model._compiled_call_impl
    if train.compile:
        model.compile(backend=train.compile_backend)
    try:
        yield
    finally:
        model._compiled_call_impl = saved


def moved(batch: Any, device: torch.device) -> Any:  # noqa: ANN401  whatever the loader gives
    """All tensors of a batch on the device."""
    if type(batch) is dict:
        return {key: moved(value, device) for key, value in batch.items()}
    if type(batch) in (list, tuple):  # a DataLoader makes lists of tuples
        return tuple(moved(value, device) for value in batch)
    return mapped(lambda tensor: tensor.to(device, non_blocking=True), batch)
