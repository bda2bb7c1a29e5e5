"""Loss functions by name, each `(outputs, targets) -> scalar` as a mean over examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from learnsym._settings import Count, In, NotNegative, Positive, check_settings
from learnsym.objectives.contrastive import Contrastive
from learnsym.objectives.gaussian_likelihood import GaussianLikelihood
from learnsym.objectives.potential_loss import ENERGY_WEIGHT, PotentialLoss
from learnsym.ragged import Ragged

LossFunction = Callable[[Tensor, Tensor], Tensor]
BROADCASTING = (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss)
BROADCASTING_MODULES = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
"""Losses of torch that expand outputs and targets of different shapes: `(B, 1)` and `(B,)` to `(B, B)`."""


def cross_entropy(outputs: Float[Tensor, "B C *grid"], targets: Int[Tensor, "B *grid"]) -> Float[Tensor, ""]:
    """Cross-entropy of logits or log-probabilities with class indices."""
    return F.cross_entropy(outputs, targets)


def mse(outputs: Float[Tensor, "B *out"], targets: Float[Tensor, "B *target"]) -> Float[Tensor, ""]:
    """Mean squared error of outputs and targets of one shape; outputs `(B, 1)` fit targets `(B,)`, too.

    Raises:
        ValueError: when shapes differ.
    """
    return F.mse_loss(shaped_as(outputs, targets), targets)


def shaped_as(outputs: Float[Tensor, "B *out"], targets: Shaped[Tensor, "B *target"]) -> Float[Tensor, "B *target"]:
    """The outputs in the shape of the targets, from which they may differ by one last axis of length 1 alone.

    Raises:
        ValueError: when shapes differ otherwise: the same number of values in other places is another loss.
    """
    if outputs.shape in (targets.shape, (*targets.shape, 1)) or (*outputs.shape, 1) == targets.shape:
        return outputs.reshape(targets.shape)
    raise ValueError(
        f"targets: got shape {tuple(targets.shape)}, must be that of the outputs, {tuple(outputs.shape)}; reorder or "
        "reshape one of them"
    )


def loss_of(loss_fn: LossFunction, outputs: Tensor, targets: Tensor | Ragged) -> Float[Tensor, ""]:
    """The loss of outputs on targets; of clouds of different sizes it is over the points that there are.

    Raises:
        ValueError: when a loss of torch would expand outputs and targets against each other.
    """
    if isinstance(targets, Ragged):
        outputs, targets = targets.flat(outputs), targets.flat()
    expands = loss_fn in BROADCASTING or isinstance(loss_fn, BROADCASTING_MODULES)
    if expands and outputs.shape != targets.shape:
        raise ValueError(
            f"loss_fn: got outputs of shape {tuple(outputs.shape)} and targets of shape {tuple(targets.shape)}, which "
            "this loss of torch would expand against each other; use objectives.mse, or reshape the targets"
        )
    return loss_fn(outputs, targets)


def squared_distance(loss_fn: LossFunction) -> LossFunction:
    """How far outputs are from outputs, as a mean over examples: in the scale of a loss that weighs several quantities,
    and the mean squared difference beside any other loss."""
    return loss_fn if isinstance(loss_fn, PotentialLoss) else mse


@dataclass(frozen=True)
class Segmentation:
    """Cross-entropy per pixel that leaves out pixels of one label, such as void or the fill of moved label maps.

    0 when a batch has no other pixels.
    """

    ignore: int = 11

    def __call__(self, outputs: Float[Tensor, "B C *grid"], targets: Int[Tensor, "B *grid"]) -> Float[Tensor, ""]:
        total = F.cross_entropy(outputs, targets, ignore_index=self.ignore, reduction="sum")
        return total / (targets != self.ignore).sum().clamp(min=1)


losses: dict[str, LossFunction] = {
    "cross_entropy": cross_entropy,
    "mse": mse,
    "segmentation": Segmentation(),
    "potential": PotentialLoss(),
    "gaussian": GaussianLikelihood(),
    "contrastive": Contrastive(),
}
VOID = 11
"""Label of void in label maps, when nothing else is said."""


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """The loss on the targets."""

    name: Literal["cross_entropy", "mse", "segmentation", "potential", "gaussian", "contrastive"] = "cross_entropy"
    """Classes, real numbers, classes of pixels (label maps are moved with the images), energies and forces of atoms
    (`data.energies: true`), real numbers of which a mean and a variance are predicted (tasks with a context), or latent
    states of transitions, near what happened and far from what did not."""
    ignore: Annotated[int, In("[-100, 65535]")] | None = None
    """Segmentation only: label of void, which the loss leaves out and which fills what comes from outside; None for
    11."""
    energy_weight: NotNegative | None = None
    """Potential only: weight of the squared error of energies per atom beside that of forces, in Å²; None for 1, by
    which 1 meV/atom counts as 1 meV/Å."""

    negatives: Count | None = None
    """Contrastive only: how many other examples of the batch are negatives of each; None for 1."""
    negatives_weight: Positive | None = None
    """Contrastive only: weight of the mean over negatives; None for 1."""

    def __post_init__(self) -> None:
        check_settings(self, "loss.")
        for key in ("negatives", "negatives_weight"):
            if getattr(self, key) is not None and self.name != "contrastive":
                raise ValueError(
                    f"loss.{key}: got {getattr(self, key)} with the loss {self.name}, which has no negatives; leave it "
                    "out"
                )
        if self.energy_weight is not None and self.name != "potential":
            raise ValueError(
                f"loss.energy_weight: got {self.energy_weight} with the loss {self.name}, which has no energies; leave "
                "it out"
            )
        if self.ignore is not None and self.name != "segmentation":
            raise ValueError(f"loss.ignore: got {self.ignore} with the loss {self.name}, which uses none; leave it out")

    @property
    def void(self) -> int:
        """The label that a segmentation leaves out."""
        return VOID if self.ignore is None else self.ignore

    def function(self) -> LossFunction:
        """`(outputs, targets) -> scalar`."""
        if self.name == "potential":
            return PotentialLoss(ENERGY_WEIGHT if self.energy_weight is None else self.energy_weight)
        if self.name == "contrastive":
            return Contrastive(negatives=self.negatives or 1, weight=self.negatives_weight or 1.0)
        return Segmentation(self.void) if self.name == "segmentation" else losses[self.name]
