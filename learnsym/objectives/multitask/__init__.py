"""The degree of symmetry in the loss: penalties on imperfect symmetry and who weighs them."""

from learnsym.objectives.multitask.candidate import Candidate, bank
from learnsym.objectives.multitask.config import PenaltyConfig, build_remul, last_layer
from learnsym.objectives.multitask.penalties import OrbitOutputs, anchored, functional, penalties, twirl
from learnsym.objectives.multitask.remul import Remul
from learnsym.objectives.multitask.weighting import ConstantWeights, DualAscent, GradNorm, ValidationWeights, Weighting

__all__ = [
    "Candidate",
    "ConstantWeights",
    "DualAscent",
    "GradNorm",
    "OrbitOutputs",
    "PenaltyConfig",
    "Remul",
    "ValidationWeights",
    "Weighting",
    "anchored",
    "bank",
    "build_remul",
    "functional",
    "last_layer",
    "penalties",
    "twirl",
]
