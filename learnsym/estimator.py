"""A classifier of scikit-learn that learns how much symmetry its images have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data
from torch import Tensor, nn

from learnsym.augment import Augmented
from learnsym.data import Batches, Dataset
from learnsym.degrees import Degree
from learnsym.learners import degrees
from learnsym.nets import CNN, MLP
from learnsym.objectives import Augerino
from learnsym.symmetry import SymmetryLike, as_symmetry
from learnsym.training import OptimiserConfig, fit, predict


class LearnedSymmetryClassifier(ClassifierMixin, BaseEstimator):
    """A network whose inputs are moved by a learned range of transformations, as a classifier of scikit-learn.

    Args:
        symmetries: one or several, by name; empty for none.
        image_shape: `(H, W)` or `(C, H, W)` of an image where rows of `X` are flat; None for rows that are vectors,
            of which no symmetry is learned, or for `X` of shape `(N, H, W)` or `(N, C, H, W)`.
        net: a function that makes a network of `(in_shape, classes)`; by default a small convolutional one for images
            and a perceptron for vectors.
        steps: optimiser steps.
        batch_size: examples a step.
        lr: learning rate of the network.
        weight: of the reward for wide ranges.
        random_state: seed or `RandomState` of weights, batches and transformations.

    Attributes:
        classes_: the labels.
        degrees_: what was learned, a `Degree` for each generator and mirror.
        model_: the trained module.

    Example:
        >>> images, labels = torch.rand(40, 8, 8).numpy(), [0, 1] * 20
        >>> classifier = ls.LearnedSymmetryClassifier("rotation2d", steps=5, random_state=0).fit(images, labels)
        >>> classifier.predict(images).shape, [degree.generator for degree in classifier.degrees_]
        ((40,), ['rotation'])
    """

    def __init__(
        self,
        symmetries: SymmetryLike = ("rotation2d",),
        *,
        image_shape: tuple[int, ...] | None = None,
        net: Callable[[tuple[int, ...], int], nn.Module] | None = None,
        steps: int = 300,
        batch_size: int = 64,
        lr: float = 3e-3,
        weight: float = 0.03,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.symmetries = symmetries
        self.image_shape = image_shape
        self.net = net
        self.steps = steps
        self.batch_size = batch_size
        self.lr = lr
        self.weight = weight
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LearnedSymmetryClassifier:  # noqa: ANN401  names of scikit-learn
        """Learn the network and the ranges of transformations."""
        X, y = validate_data(self, X, y, allow_nd=True, dtype=np.float32, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        inputs = self._inputs(X)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model_ = self._model(tuple(inputs.shape[1:]))
        self.offset_, self.scale_ = _offset_and_scale(inputs)
        data = Dataset(self._scaled(inputs), torch.from_numpy(labels), classes=len(self.classes_))
        fit(
            self.model_,
            Augerino(F.cross_entropy, weight=self.weight),
            Batches(data, min(self.batch_size, len(data)), seed),
            steps=self.steps,
            optimiser=OptimiserConfig(lr=self.lr),
            seed=seed,
        )
        return self

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: ANN401
        """The probability of each class, `(N, K)`, in the order of `classes_`."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, allow_nd=True, dtype=np.float32)
        inputs = self._inputs(np.asarray(X))
        return predict(self.model_, self._scaled(inputs)).double().softmax(1).numpy()

    def predict(self, X: Any) -> np.ndarray:  # noqa: ANN401
        """The most probable class of each example, `(N,)`."""
        return self.classes_[self.predict_proba(X).argmax(1)]

    @property
    def degrees_(self) -> list[Degree]:
        """How much of each symmetry was learned; empty for vectors."""
        check_is_fitted(self, "model_")
        return degrees(self.model_)

    def _inputs(self, X: np.ndarray) -> Tensor:
        x = torch.from_numpy(np.ascontiguousarray(X))
        if self.image_shape is not None and x.ndim == 2:
            x = self._reshaped(x, tuple(self.image_shape))
        if x.ndim not in (2, 3, 4):
            raise ValueError(f"X: got shape {tuple(x.shape)}, must be (N, H, W), (N, C, H, W) or rows of numbers")
        return x.unsqueeze(1) if x.ndim == 3 else x

    def _reshaped(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        if len(shape) not in (2, 3) or int(np.prod(shape)) != x.shape[1]:
            raise ValueError(
                f"image_shape: got {tuple(shape)} for rows of {x.shape[1]} numbers, must be (H, W) or (C, H, W) with "
                "so many; leave it out for vectors"
            )
        return x.unflatten(1, shape)

    def _scaled(self, inputs: Tensor) -> Tensor:
        return (inputs - self.offset_) / self.scale_

    def _model(self, shape: tuple[int, ...]) -> nn.Module:
        make = self.net or (_small_cnn if len(shape) == 3 else _perceptron)
        net = make(shape, len(self.classes_))
        return Augmented(net, as_symmetry(self.symmetries)) if len(shape) == 3 and self.symmetries else net


def _offset_and_scale(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread of each column of vectors; of images the largest value, as 0 is what moves let in."""
    if inputs.ndim == 4:
        return torch.zeros(()), inputs.abs().max().clamp(min=1e-12)
    return inputs.mean(0), inputs.std(0).clamp(min=1e-12)


def _small_cnn(shape: tuple[int, ...], classes: int) -> nn.Module:
    return CNN(shape[0], classes, width=16, size=min(shape[1:]))


def _perceptron(shape: tuple[int, ...], classes: int) -> nn.Module:
    return MLP(shape[0], classes, width=64)
