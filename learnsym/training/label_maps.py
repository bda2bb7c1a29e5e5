"""How well label maps with a background are predicted: scores that a prediction of background alone does not win.

Legend of axes: `N` maps of any shape.
"""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

BACKGROUND = "background"
"""Name of class 0 of data sets whose scores these are."""


def confusion(predicted: Int[Tensor, "N *grid"], labels: Int[Tensor, "N *grid"], classes: int) -> Int[Tensor, "K K"]:
    """Counts of pixels by label (rows) and prediction (columns)."""
    return (labels.flatten() * classes + predicted.flatten()).bincount(minlength=classes**2).view(classes, classes)


def foreground_scores(
    predicted: Int[Tensor, "N *grid"], labels: Int[Tensor, "N *grid"], classes: int
) -> dict[str, float]:
    """Recall and mean intersection over union of the classes other than 0, the background.

        recall = Σ_k n_kk / Σ_kj n_kj,    iou = mean_k n_kk / (Σ_j n_kj + Σ_j n_jk - n_kk),    k = 1 ... K - 1

    Foreground that is taken for background counts as wrong in both, and background that is taken for foreground in the
    second; classes that occur neither in labels nor in predictions are left out of the mean. An accuracy over pixels
    that are foreground in labels and in predictions alone would leave both errors out.

    Raises:
        ValueError: for maps without any foreground.

    Example:
        >>> labels = torch.tensor([[0, 1, 1, 2]])
        >>> found = ls.training.foreground_scores(torch.tensor([[1, 1, 0, 2]]), labels, classes=3)
        >>> {name: round(value, 4) for name, value in found.items()}
        {'recall': 0.6667, 'iou': 0.6667}
    """
    n = confusion(predicted, labels, classes).double()
    if not n[1:].sum():
        raise ValueError("labels: hold nothing but background, class 0; give maps with some foreground")
    right, union = n.diagonal()[1:], (n.sum(0) + n.sum(1) - n.diagonal())[1:]
    iou = torch.where(union > 0, right / union.clamp(min=1), 0.0).sum() / (union > 0).sum()
    return {"recall": (right.sum() / n[1:].sum()).item(), "iou": iou.item()}
