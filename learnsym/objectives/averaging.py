"""Whether the average over copies of a model fits the loss on the targets."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from learnsym._eager import in_transform
from learnsym.augment import Augmented, OrbitAveraged, mean_log_probabilities, mean_outputs, mean_probabilities
from learnsym.learners import unwrapped
from learnsym.objectives.losses import LossFunction, mse

OF_NUMBERS = (
    mse,
    F.mse_loss,
    F.l1_loss,
    F.smooth_l1_loss,
    F.huber_loss,
    F.binary_cross_entropy_with_logits,
    F.binary_cross_entropy,
)
OF_NUMBERS_AS_MODULES = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.BCEWithLogitsLoss, nn.BCELoss)
ROUNDING = 1e-3


def check_average(loss_fn: LossFunction, model: nn.Module) -> None:
    """Refuse probabilities of classes for a loss of numbers.

    Raises:
        ValueError: when the model averages (log-)probabilities of classes and the loss is known to compare numbers.
    """
    average = _average(model)
    if average in (mean_log_probabilities, mean_probabilities) and _compares_numbers(loss_fn):
        raise ValueError(
            f"average: got {average.__name__}, which makes probabilities of classes of outputs that the loss "
            f"{_name(loss_fn)} compares with numbers; give average=mean_outputs"
        )


def check_log_probabilities(loss_fn: LossFunction, model: nn.Module, outputs: Tensor) -> None:
    """Refuse outputs that are not log-probabilities for the loss that takes them as such.

    Raises:
        ValueError: when a model averages outputs of a network that ends in logits, and the loss is `nll_loss`.
    """
    function = _plain(loss_fn)
    if _average(model) is not mean_outputs or not (function is F.nll_loss or isinstance(function, nn.NLLLoss)):
        return
    if in_transform() or bool((outputs.detach().exp().sum(1) <= 1 + ROUNDING).all()):
        return
    raise ValueError(
        "average: got mean_outputs of a network whose outputs are not log-probabilities, which nll_loss takes; "
        "give average=mean_log_probabilities, or the loss cross_entropy"
    )


def _average(model: nn.Module) -> Any:  # noqa: ANN401  a function of any origin
    model = unwrapped(model)
    return model.average if isinstance(model, Augmented | OrbitAveraged) else None


def _compares_numbers(loss_fn: LossFunction) -> bool:
    function = _plain(loss_fn)
    return function in OF_NUMBERS or isinstance(function, OF_NUMBERS_AS_MODULES)


def _plain(loss_fn: LossFunction) -> LossFunction:
    while isinstance(loss_fn, partial):
        loss_fn = loss_fn.func
    return loss_fn


def _name(loss_fn: LossFunction) -> str:
    function = _plain(loss_fn)
    return getattr(function, "__name__", type(function).__name__)
