"""Losses without labels for networks with a symmetry: labels that the group moves, and contrast modulo the group."""

from learnsym.objectives.self_supervision.contrast import InvariantContrast, info_nce
from learnsym.objectives.self_supervision.heads import EquivariantHead, NaiveHead, equivariant_perceptron
from learnsym.objectives.self_supervision.jigsaw import Jigsaw, closed_permutations, spread_permutations
from learnsym.objectives.self_supervision.label_fields import label_fields
from learnsym.objectives.self_supervision.learned_poses import LearnedPoses
from learnsym.objectives.self_supervision.position import RelativePosition
from learnsym.objectives.self_supervision.prediction import PretextPrediction
from learnsym.objectives.self_supervision.pretext import Pretext
from learnsym.objectives.self_supervision.rotation import RotationLabel
from learnsym.objectives.self_supervision.similarity import SIMILARITIES, log_mean_exp, pose_scores
from learnsym.objectives.self_supervision.views import RandomViews

__all__ = [
    "SIMILARITIES",
    "EquivariantHead",
    "InvariantContrast",
    "Jigsaw",
    "LearnedPoses",
    "NaiveHead",
    "Pretext",
    "PretextPrediction",
    "RandomViews",
    "RelativePosition",
    "RotationLabel",
    "closed_permutations",
    "equivariant_perceptron",
    "info_nce",
    "label_fields",
    "log_mean_exp",
    "pose_scores",
    "spread_permutations",
]
