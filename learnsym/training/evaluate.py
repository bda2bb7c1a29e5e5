"""Loss and accuracy of a model on a split."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym.data import Dataset
from learnsym.objectives.losses import loss_of

BATCH = 256
IN_CACHE = 64
"""Examples at a time: with their test copies they stay in the cache of a CPU."""


@torch.no_grad()
def predict(model: nn.Module, x: Tensor, batch_size: int = BATCH) -> Tensor:
    """Outputs of a model for all examples, in evaluation mode, on the CPU; its mode comes back afterwards."""
    device = next((p.device for p in model.parameters()), x.device)
    with evaluating(model):
        return torch.cat([model(part.to(device)).float().cpu() for part in x.split(batch_size)])


def scores(outputs: Tensor, dataset: Dataset, loss_fn: Callable[[Tensor, Tensor], Tensor]) -> dict[str, float]:
    """`task`, the mean of the loss that was trained, and, for labels or label maps, `accuracy`."""
    y = dataset.y.cpu()
    values = {"task": loss_of(loss_fn, outputs, y).item()}
    if dataset.classes:
        labelled = torch.ones_like(y, dtype=torch.bool) if dataset.ignore is None else y != dataset.ignore
        values["accuracy"] = (outputs.argmax(1) == y)[labelled].double().mean().item()
    return values


def evaluate(model: nn.Module, dataset: Dataset, loss_fn: Callable[[Tensor, Tensor], Tensor]) -> dict[str, float]:
    """Scores of a model on a data set; see `scores`."""
    return scores(predict(model, dataset.inputs), dataset, loss_fn)


class Probabilities(nn.Module):
    """Class probabilities of a model: one scale for the logits and log-probabilities of different twins."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.model(part).softmax(1) for part in x.split(IN_CACHE)])
