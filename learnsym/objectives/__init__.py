"""What is minimised: functions of a model and a batch that give a loss with named parts."""

from learnsym.objectives._objective import Loss, Objective
from learnsym.objectives.bilevel import Bilevel
from learnsym.objectives.co_moved import CoMoved
from learnsym.objectives.config import ObjectiveConfig, build, build_relaxed
from learnsym.objectives.losses import LossFunction, Segmentation, cross_entropy, losses, mse
from learnsym.objectives.mixture import MixtureLikelihood
from learnsym.objectives.moved_examples import MovedExamples
from learnsym.objectives.multitask import (
    Candidate,
    ConstantWeights,
    DualAscent,
    GradNorm,
    PenaltyConfig,
    Remul,
    ValidationWeights,
    Weighting,
    anchored,
    bank,
    build_remul,
    functional,
    penalties,
    twirl,
)
from learnsym.objectives.prior import WithPrior
from learnsym.objectives.probabilistic import LikelihoodELBO, Probabilistic
from learnsym.objectives.regularisers import Regulariser, entropy, norm, regularisers, sparse_norm, squared_norm
from learnsym.objectives.supervised import Augerino, Batch, Supervised, learned_distributions

__all__ = [
    "Augerino",
    "Batch",
    "Bilevel",
    "Candidate",
    "CoMoved",
    "ConstantWeights",
    "DualAscent",
    "GradNorm",
    "LikelihoodELBO",
    "Loss",
    "LossFunction",
    "MixtureLikelihood",
    "MovedExamples",
    "Objective",
    "ObjectiveConfig",
    "PenaltyConfig",
    "Probabilistic",
    "Regulariser",
    "Remul",
    "Segmentation",
    "Supervised",
    "ValidationWeights",
    "Weighting",
    "WithPrior",
    "anchored",
    "bank",
    "build",
    "build_relaxed",
    "build_remul",
    "cross_entropy",
    "entropy",
    "functional",
    "learned_distributions",
    "losses",
    "mse",
    "norm",
    "penalties",
    "regularisers",
    "sparse_norm",
    "squared_norm",
    "twirl",
]
