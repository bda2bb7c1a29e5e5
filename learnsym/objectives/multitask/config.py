"""Settings of penalties on imperfect symmetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from torch import nn

from learnsym.objectives.losses import LossFunction
from learnsym.objectives.multitask.candidate import FEWEST, bank
from learnsym.objectives.multitask.remul import Remul
from learnsym.objectives.multitask.weighting import ConstantWeights, DualAscent, GradNorm, ValidationWeights, Weighting
from learnsym.objectives.supervised import Batch, checked_weight
from learnsym.symmetry import Symmetry

Chooser = Literal["constant", "gradnorm", "dual", "validation"]


@dataclass(frozen=True, kw_only=True)
class PenaltyConfig:
    """Penalties on imperfect symmetry beside the loss on the targets: the degree in the loss."""

    mode: Literal["none", "anchored", "functional", "twirl"] = "none"
    """Loss on moved examples with moved labels; defect of the function; its variance along the orbit. None: no
    penalty."""
    symmetries: list[str] = field(default_factory=lambda: ["so3"])
    """Candidates, each with a weight of its own: so3, o3, so2_x, so2_y, so2_z, octahedral, signed_permutations for
    clouds of points; names such as rotation2d for images."""
    weighting: Chooser = "constant"
    """Who chooses the weights: you; equal gradients (gradnorm); the smallest that keep each penalty below a tolerance
    (dual); the loss on the validation examples (validation)."""
    weight: float = 1.0
    """Constant: weight of each penalty. Gradnorm and dual: the one they start with."""
    tolerance: float = 1e-3
    """Dual only: largest penalty, in squared units of the outputs."""
    samples: int = 1
    """Moves of each example per step; twirl takes 2 or more."""
    fraction: float = 1.0
    """Share of the batch that is moved, by all candidates together: what the penalty costs beside the task."""
    every: int = 1
    """Steps between penalties."""

    def __post_init__(self) -> None:
        checked_weight(self.weight)
        if self.weighting not in get_args(Chooser):
            raise ValueError(
                f"penalty.weighting: got {self.weighting!r}, must be one of {', '.join(get_args(Chooser))}"
            )
        if not self.symmetries or len(set(self.symmetries)) < len(self.symmetries):
            raise ValueError(f"penalty.symmetries: got {self.symmetries}, must name at least one, each once")
        if not 0 < self.fraction <= 1 or self.every < 1:
            raise ValueError(
                f"penalty.fraction, penalty.every: got {self.fraction}, {self.every}, must be in (0, 1] and >= 1"
            )
        least = FEWEST.get(self.mode, 1)
        if self.samples < least:
            raise ValueError(f"penalty.samples: got {self.samples}, must be >= {least} for the mode {self.mode}")


def build_remul(
    config: PenaltyConfig,
    loss_fn: LossFunction,
    symmetries: Mapping[str, Symmetry],
    model: nn.Module,
    held_out: Batch | None = None,
) -> Remul:
    """The objective that a configuration describes.

    Args:
        config: modes and weights.
        loss_fn: `(outputs, targets) -> scalar`.
        symmetries: the candidates, by the names of the configuration.
        model: whose last layer says how gradients of loss and penalties compare.
        held_out: inputs and targets of the validation examples, which the chooser "validation" reads.
    """
    if config.mode == "none":
        raise ValueError("penalty.mode: got 'none', must be anchored, functional or twirl for a penalty")
    candidates = bank(symmetries, config.mode, config.fraction, config.samples)
    weighting = _weighting(config, list(symmetries), last_layer(model))
    given = held_out if weighting.needs_held_out else None
    return Remul(loss_fn, candidates, weighting, held_out=given, every=config.every)


def last_layer(model: nn.Module) -> list[nn.Parameter]:
    """The parameters of the last module that has any of its own."""
    owned = [list(module.parameters(recurse=False)) for module in model.modules()]
    return next(parameters for parameters in reversed(owned) if parameters)


def _weighting(config: PenaltyConfig, names: list[str], shared: list[nn.Parameter]) -> Weighting:
    if config.weighting == "gradnorm":
        return GradNorm(names, shared, start=config.weight)
    if config.weighting == "dual":
        return DualAscent(names, config.tolerance, start=config.weight)
    if config.weighting == "validation":
        return ValidationWeights(names, shared)
    return ConstantWeights(names, config.weight)
