"""Prediction of labels that are made of the pictures."""

from __future__ import annotations

from typing import Protocol, cast

import torch.nn.functional as F
from torch import Tensor, nn

from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.self_supervision.pretext import Pretext


class HasEncoder(Protocol):
    """A model one part of which is trained, such as `nets.OrbitClassifier`."""

    encoder: nn.Module


class PretextPrediction(nn.Module):
    """The cross-entropy of the labels of a pretext task; the targets of a batch are not looked at.

        L = CE(h(z(v_1), ..., z(v_V)), l),    (v, l) = draw(x)

    The head stays behind in the objective: the model is a classifier all the time, of which the encoder is trained.

    Args:
        pretext: the task.
        head: of the features of all views, `(B, V, c)`, such as `EquivariantHead`.

    Example:
        >>> task, net = ls.objectives.RotationLabel(ls.groups.Cyclic(4)), ls.nets.RegularEncoder(ls.groups.Cyclic(4), 1)
        >>> objective = ls.objectives.PretextPrediction(task, ls.objectives.EquivariantHead(task, net.out_type))
        >>> batch = torch.rand(6, 1, 16, 16), torch.zeros(6, 0)
        >>> sorted(objective(ls.nets.OrbitClassifier(net, classes=3), batch).parts)
        ['pretext', 'right']
    """

    def __init__(self, pretext: Pretext, head: nn.Module) -> None:
        super().__init__()
        self.pretext, self.head = pretext, head

    def forward(self, model: nn.Module, batch: Batch) -> Loss:
        views, label = self.pretext.draw(batch[0])
        z = encoded(model, views.flatten(0, 1)).unflatten(0, views.shape[:2])
        logits = self.head(z)
        loss = F.cross_entropy(logits, label)
        return Loss(loss, {"pretext": loss.detach(), "right": (logits.argmax(1) == label).to(logits).mean()})


def encoded(model: nn.Module, x: Tensor) -> Tensor:
    """The features of pictures."""
    return cast(HasEncoder, model).encoder(x)
