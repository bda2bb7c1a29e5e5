"""How much is computed to infer the symmetries of a data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from learnsym._memory import MEMORY
from learnsym._settings import Count, Distinct, In, Positive, Processes, Seed, Share, check_settings
from learnsym.statistics import LEVEL


@dataclass(frozen=True, kw_only=True)
class InferenceConfig:
    """How much is computed, and with which certainty.

    Example:
        >>> ls.inference.InferenceConfig(examples=2000).level
        0.9
    """

    only: Annotated[list[str], Distinct()] = field(default_factory=list)
    """Names of the candidates that are asked about, such as `rotation`; all that fit the data when empty."""
    examples: Annotated[int, In("[40, 1000000]")] = 4000
    """Examples that are taken, at random, of those that there are; more narrow intervals and cost time."""
    steps: Count = 300
    """Training steps of each network that reads poses or tells moves apart, per fold, of 128 examples."""
    task_steps: Count = 1500
    """Training steps of the network that predicts labels, per fold, of 128 examples."""
    level: Share = LEVEL
    """Probability with which all verdicts together hold."""
    seed: Seed = 0
    """Determines which examples are taken, folds, networks and bootstrap."""
    workers: Processes = 2
    """Processes that compute side by side, of one thread each."""
    memory: Positive = MEMORY
    """Limit in GiB for what all processes compute at a time beside the examples; does not change the results."""
    device: str = "cpu"
    """Such as `cuda`."""

    def __post_init__(self) -> None:
        check_settings(self)
