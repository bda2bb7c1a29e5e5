"""Linear probe: what a linear classifier reads out of features that were learned without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from learnsym.data import Dataset
from learnsym.measure.linear_classifier import RIDGES, fitted_classifier
from learnsym.statistics import LEVEL, Estimate, Interval, student_interval
from learnsym.training.evaluate import predict

FEWEST = 10
"""Labelled examples, of which every fifth is held out to choose the ridge."""
ITERATIONS = 100


@dataclass(frozen=True, kw_only=True)
class LinearProbe:
    """What a linear classifier on frozen features gets right.

    Args:
        accuracy: over the test examples.
        interval: around it, over test examples alone: not over draws of the labels, nor over trainings of the features.
        ridge: that was chosen.
        labelled: examples with labels that it was fitted to.
    """

    accuracy: Estimate
    interval: Interval
    ridge: float
    labelled: int

    def __str__(self) -> str:
        return f"{self.interval} with {self.labelled} labels"


def linear_probe(
    features: nn.Module,
    train: Dataset,
    test: Dataset,
    labelled: int | None = None,
    ridges: Sequence[float] = RIDGES,
    level: float = LEVEL,
) -> LinearProbe:
    """Fit a linear classifier to features that stay as they are, and test it.

        min_W  mean_n CE(W φ(x_n), y_n) + (ridge / 2) |W|²

    on standardised features. The ridge has the smallest loss on every fifth labelled example when fitted to the others;
    the classifier is then fitted to all of them. The test examples choose nothing.

    Args:
        features: `φ`, from examples to vectors `(B, F)`, such as `nn.Sequential(net.encoder, net.invariants)` of an
            `nets.OrbitClassifier`.
        train: examples, the first of which have labels.
        test: other ones.
        labelled: how many labels of `train` are used; a larger number includes the examples of a smaller one. All when
            None.
        ridges: penalties to choose from.
        level: probability with which the interval covers.

    Raises:
        ValueError: for targets that are no labels, fewer than 10 labelled examples or more than there are, and ridges
            that are not above 0.

    Example:
        >>> train, test = (ls.data.load("digits", split) for split in ("train", "test"))
        >>> ls.training.linear_probe(nn.Flatten(), train, test, labelled=300).accuracy.mean > 0.8
        True
    """
    count = len(train) if labelled is None else labelled
    if not train.classes or train.y.dim() > 1:
        raise ValueError("train: its targets are no labels of whole examples; give a classification data set")
    if not FEWEST <= count <= len(train):
        raise ValueError(f"labelled: got {count}, must be from {FEWEST} to the {len(train)} examples of train")
    if not ridges or min(ridges) <= 0:
        raise ValueError(f"ridges: got {list(ridges)}, must be numbers above 0")
    known = train.subset(torch.arange(count))
    phi, y = predict(features, known.inputs).flatten(1).double(), known.y.cpu()
    classifier, ridge = fitted_classifier(phi, y, train.classes, ridges)
    right = classifier(predict(features, test.inputs).flatten(1).double()).argmax(1) == test.y.cpu()
    accuracy = Estimate.of(right.double())
    interval = student_interval(accuracy, level).clipped(0.0, 1.0)
    return LinearProbe(accuracy=accuracy, interval=interval, ridge=ridge, labelled=count)
