"""Settings of the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from learnsym.actions import LabelMap
from learnsym.objectives._objective import Objective
from learnsym.objectives.co_moved import CoMoved
from learnsym.objectives.losses import Segmentation, losses
from learnsym.objectives.regularisers import regularisers
from learnsym.objectives.supervised import Augerino, checked_weight


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
    ignore: int = 11
    """Segmentation only: label of void, which the loss leaves out and which fills what comes from outside."""

    def __post_init__(self) -> None:
        checked_weight(self.weight)
        for name, value, known in (("loss", self.loss, losses), ("regulariser", self.regulariser, regularisers)):
            if value not in known:
                raise ValueError(f"{name}: got {value!r}, must be one of {', '.join(known)}")


def build(config: ObjectiveConfig) -> Objective:
    """The objective that a configuration describes.

    Example:
        >>> type(ls.objectives.build(ls.objectives.ObjectiveConfig(loss="mse"))).__name__
        'Augerino'
    """
    regulariser = regularisers[config.regulariser]
    if config.loss == "segmentation":
        return CoMoved(Segmentation(config.ignore), LabelMap(config.ignore), regulariser, config.weight)
    return Augerino(losses[config.loss], regulariser, config.weight)
