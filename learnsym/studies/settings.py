"""How a study trains its twins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from learnsym._settings import Copies, Count, Distinct, Seed, check_settings
from learnsym.measure.config import PoseConfig
from learnsym.methods import Twin
from learnsym.methods.augerino import Augerino
from learnsym.objectives.choosers.selection import Borrow
from learnsym.objectives.losses import LossConfig
from learnsym.training.config import OptimiserConfig

EPOCHS, LEAST, MOST = 15, 200, 2000
"""Passes over the training examples where the number of steps is not given, and bounds of that number."""


@dataclass(frozen=True, kw_only=True)
class TwinSettings:
    """Which twins are trained, and how."""

    twins: Annotated[list[Twin], Distinct(1)] = field(default_factory=lambda: ["learned", "plain", "exact"])
    """Twins; `exact` is left out where the symmetries hold no compact group."""
    seeds: Annotated[list[Seed], Distinct(1)] = field(default_factory=lambda: [0, 1, 2])
    """Seeds of batches and transformations, and of initial weights where the network comes as a function."""
    steps: Count | None = None
    """Steps of the learned twin; None for 15 passes over the training examples, between 200 and 2,000 steps. The other
    twins have as many more as cost the same, 1.1 to 1.4 times these where validation examples choose."""
    batch_size: Count = 64
    """Examples a step; no more than there are."""
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """Updates."""
    chooser: Literal["selection", "training"] = "selection"
    """Of the learned twin: the validation examples, which choose among hypotheses from none to full symmetry
    (`objectives.SuccessiveHalving`), or the training loss with a reward for wide laws."""
    borrow: Borrow = 0.0
    """Of `selection`: 0 for validation examples that choose; more, where examples are few, for so large a part of those
    for training, which is trained on after the choice."""
    method: Augerino = field(default_factory=Augerino)
    """Of the learned twin: `init`, `regulariser`, `weight`, `copies` and `test_copies`."""
    loss: LossConfig | None = None
    """Loss on the targets; None for cross-entropy of labels and squared error of numbers."""
    pose: PoseConfig = field(default_factory=lambda: PoseConfig(examples=1500))
    """Of the laws of poses of images, along those of its generators that the symmetries have."""
    orbit: Copies = 8
    """Elements of the average of the exact twin in evaluation."""
    device: str = "auto"
    """`cpu`, `cuda`, `cuda:1`, or `auto`: a GPU when there is one."""

    def __post_init__(self) -> None:
        check_settings(self, "study.")
        if self.borrow and self.chooser != "selection":
            raise ValueError(
                f"study.borrow: got {self.borrow} with the chooser {self.chooser}, which uses none; leave it out"
            )

    def steps_for(self, examples: int) -> int:
        """Steps of the learned twin on so many examples."""
        return self.steps or min(max(EPOCHS * examples // self.size_for(examples), LEAST), MOST)

    def size_for(self, examples: int) -> int:
        """Examples a step."""
        return min(self.batch_size, examples)
