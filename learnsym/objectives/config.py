"""Settings of the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from learnsym.actions import LabelMap
from learnsym.objectives._objective import Objective
from learnsym.objectives.bilevel import Bilevel
from learnsym.objectives.co_moved import CoMoved
from learnsym.objectives.losses import Segmentation, losses
from learnsym.objectives.prior import WithPrior
from learnsym.objectives.probabilistic import Probabilistic
from learnsym.objectives.regularisers import regularisers
from learnsym.objectives.supervised import Augerino, Batch, checked_weight
from learnsym.relax.config import RelaxConfig

DIVERGENCES = 0.05
"""Weight of the divergences of likelihoods beside a loss in nats: what is kept of a symmetry that nothing tests."""


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig:
    """What is minimised: a loss on the targets plus a weighted reward for wide distributions."""

    loss: Literal["cross_entropy", "mse", "segmentation"] = "cross_entropy"
    """Loss on the targets: classes, real numbers, or classes of pixels (label maps are moved with the images)."""
    regulariser: Literal["norm", "squared_norm", "sparse_norm", "entropy"] = "sparse_norm"
    """Reward: norm of the full widths (the code of Augerino), its square (the paper), the norm less 0.4 times
    the sum of widths (closes generators that the data do not ask for), or entropy (free of units)."""
    weight: float = 0.03
    """Weight of the regulariser, not negative."""
    chooser: Literal["regulariser", "validation"] = "regulariser"
    """What the learned distributions follow: the training loss with the regulariser, or the loss on the validation
    examples with the regulariser, see `objectives.Bilevel`."""
    chooser_batch: int = 32
    """Chooser validation only: validation examples per step."""
    chooser_copies: int = 4
    """Chooser validation only: transformed copies per validation example; 1 asks for strict invariance."""
    ignore: int = 11
    """Segmentation only: label of void, which the loss leaves out and which fills what comes from outside."""

    def __post_init__(self) -> None:
        checked_weight(self.weight)
        for name in ("chooser_batch", "chooser_copies"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be >= 1; see objectives.Bilevel")
        choosers = ("regulariser", "validation")
        for name, value, known in (
            ("loss", self.loss, losses),
            ("regulariser", self.regulariser, regularisers),
            ("chooser", self.chooser, choosers),
        ):
            if value not in known:
                raise ValueError(f"{name}: got {value!r}, must be one of {', '.join(known)}")


def build(config: ObjectiveConfig, held_out: Batch | None = None) -> Objective:
    """The objective that a configuration describes.

    Args:
        config: what is minimised.
        held_out: inputs and targets of the validation examples; needed by the chooser "validation".

    Raises:
        ValueError: when validation shall choose and there are no such examples.

    Example:
        >>> type(ls.objectives.build(ls.objectives.ObjectiveConfig(loss="mse"))).__name__
        'Augerino'
    """
    objective = _regularised(config)
    if config.chooser == "regulariser":
        return objective
    if held_out is None:
        raise ValueError("held_out: got None with chooser 'validation'; give the validation examples")
    return Bilevel(objective, held_out, batch_size=config.chooser_batch, copies=config.chooser_copies)


def build_relaxed(config: ObjectiveConfig, relax: RelaxConfig, examples: int) -> Objective:
    """The objective of a network with relaxed layers: the loss with what holds them to their symmetry.

    Args:
        config: of which the loss counts.
        relax: kind of layer and weight.
        examples: number of training examples.

    Raises:
        ValueError: for label maps, or another chooser than the training loss.

    Example:
        >>> relaxed = ls.relax.RelaxConfig(layer="probabilistic")
        >>> type(ls.objectives.build_relaxed(ls.objectives.ObjectiveConfig(), relaxed, 100)).__name__
        'Probabilistic'
    """
    if config.loss == "segmentation" or config.chooser != "regulariser":
        raise ValueError(
            f"objective: got loss {config.loss!r} and chooser {config.chooser!r} with relaxed layers, "
            "must be cross_entropy or mse, and regulariser"
        )
    loss_fn = losses[config.loss]
    if relax.layer == "probabilistic":
        pull = relax.weight * DIVERGENCES
        return Probabilistic(loss_fn, previous=pull, uniform=pull, prior=relax.weight / examples)
    return WithPrior(loss_fn, examples, relax.weight)


def _regularised(config: ObjectiveConfig) -> Augerino | CoMoved:
    regulariser = regularisers[config.regulariser]
    if config.loss == "segmentation":
        return CoMoved(Segmentation(config.ignore), LabelMap(config.ignore), regulariser, config.weight)
    return Augerino(losses[config.loss], regulariser, config.weight)
