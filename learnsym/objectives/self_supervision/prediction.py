"""Prediction of labels that are made of the pictures, with a probe of what the encoder has learned of the true ones."""

from __future__ import annotations

from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.self_supervision.pretext import Pretext


class Probed(Protocol):
    """A classifier in two parts, such as `nets.OrbitClassifier`."""

    encoder: nn.Module

    def read(self, z: Tensor) -> Tensor:
        """The class logits of features."""
        ...


class PretextPrediction(nn.Module):
    """The cross-entropy of the labels of a pretext task, and beside it that of a probe on the targets.

        L = CE(h(z(v_1), ..., z(v_V)), l) + CE(read(stop(z(x))), y),    (v, l) = draw(x)

    The probe has no gradient that reaches the encoder; batches without targets, `(B, 0)`, have none. The head stays
    behind in the objective: the model is a classifier all the time.

    Args:
        pretext: the task.
        head: of the features of all views, `(B, V, c)`, such as `EquivariantHead`.

    Example:
        >>> task, net = ls.objectives.RotationLabel(ls.groups.Cyclic(4)), ls.nets.RegularEncoder(ls.groups.Cyclic(4), 1)
        >>> objective = ls.objectives.PretextPrediction(task, ls.objectives.EquivariantHead(task, net.out_type))
        >>> batch = torch.rand(6, 1, 16, 16), torch.arange(6) % 3
        >>> sorted(objective(ls.nets.OrbitClassifier(net, classes=3), batch).parts)
        ['pretext', 'right', 'task']
    """

    def __init__(self, pretext: Pretext, head: nn.Module) -> None:
        super().__init__()
        self.pretext, self.head = pretext, head

    def forward(self, model: nn.Module, batch: Batch) -> Loss:
        x, _ = batch
        views, label = self.pretext.draw(x)
        z = cast(Probed, model).encoder(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        logits = self.head(z)
        loss = F.cross_entropy(logits, label)
        parts = {"pretext": loss.detach(), "right": (logits.argmax(1) == label).to(logits).mean()}
        return with_probe(loss, parts, model, batch)


def with_probe(loss: Tensor, parts: dict[str, Tensor], model: nn.Module, batch: Batch) -> Loss:
    """A loss and that of the probe on the targets, from which no gradient reaches the encoder."""
    x, y = batch
    if y.shape[1:] == (0,):
        return Loss(loss, parts)
    probed = cast(Probed, model)
    task = F.cross_entropy(probed.read(_frozen(probed.encoder, x)), y)
    return Loss(loss + task, {**parts, "task": task.detach()})


def _frozen(encoder: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return encoder(x)
