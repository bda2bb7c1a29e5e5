"""Loss and accuracy of a model on a split."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym.data import Dataset, Rows
from learnsym.measure.world import retrieved
from learnsym.objectives.contrastive import Contrastive
from learnsym.objectives.gaussian_likelihood import GaussianLikelihood
from learnsym.objectives.losses import loss_of
from learnsym.objectives.potential_loss import PotentialLoss, potential_errors
from learnsym.objectives.supervised import output_of
from learnsym.parts import Whole, moved_to, split
from learnsym.training.label_maps import BACKGROUND, foreground_scores

BATCH = 256
IN_CACHE = 64
"""Examples at a time: with their test copies they stay in the cache of a CPU."""


@torch.no_grad()
def predict(model: nn.Module, x: Whole, batch_size: int = BATCH, output: str = "") -> Tensor:
    """Outputs of a model for all examples, in evaluation mode, on the CPU; its mode comes back afterwards.

    Args:
        model: any module.
        x: inputs, one tensor or rows of a file, or a structure of tensors.
        batch_size: examples per call.
        output: key of the part of what the model returns that is its output, see `Supervised`.
    """
    device = next((p.device for p in model.parameters()), None)
    batches = x.split(batch_size) if isinstance(x, Tensor | Rows) else split(x, batch_size)
    with evaluating(model):
        returned = (model(batch if device is None else moved_to(batch, device)) for batch in batches)
        return torch.cat([output_of(each, output).float().cpu() for each in returned])


def scores(outputs: Tensor, dataset: Dataset, loss_fn: Callable[[Tensor, Tensor], Tensor]) -> dict[str, float]:
    """`task`, the mean of the loss that was trained; for labels or label maps `accuracy`; for maps with a background
    `recall` and `iou`, see `foreground_scores`; for predicted means and variances `log_likelihood`; for molecules with
    energies the mean absolute errors of `potential_errors`; and for transitions the hits and reciprocal ranks of
    `measure.retrieval` among the examples of the data set."""
    y = dataset.y.cpu()
    values = {"task": loss_of(loss_fn, outputs, y).item()}
    if dataset.classes:
        labelled = torch.ones_like(y, dtype=torch.bool) if dataset.ignore is None else y != dataset.ignore
        values["accuracy"] = (outputs.argmax(1) == y)[labelled].double().mean().item()
    if y.ndim > 1 and dataset.class_names[:1] == (BACKGROUND,):
        values |= foreground_scores(outputs.argmax(1), y, dataset.classes)
    if isinstance(loss_fn, GaussianLikelihood):
        values["log_likelihood"] = -values["task"]
    if isinstance(loss_fn, PotentialLoss):
        values |= {name: errors.mean().item() for name, errors in potential_errors(outputs, y).items()}
    if isinstance(loss_fn, Contrastive):
        values |= {name: each.mean().item() for name, each in retrieved(outputs, y).items()}
    return values


def evaluate(
    model: nn.Module, dataset: Dataset, loss_fn: Callable[[Tensor, Tensor], Tensor], output: str = ""
) -> dict[str, float]:
    """Scores of a model on a data set; see `scores`, and `predict` for the output."""
    return scores(predict(model, dataset.inputs, output=output), dataset, loss_fn)


class Probabilities(nn.Module):
    """Class probabilities of a model: one scale for the logits and log-probabilities of different twins."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Whole) -> Tensor:
        return torch.cat([self.model(part).softmax(1) for part in split(x, IN_CACHE)])
