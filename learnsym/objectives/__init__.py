"""What is minimised: functions of a model and a batch that give a loss with named parts."""

from learnsym.objectives import choosers as choosers
from learnsym.objectives import self_supervision as self_supervision
from learnsym.objectives import terms as terms
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.candidate import Candidate, bank
from learnsym.objectives.choosers import (
    AnnealedGains,
    Bilevel,
    Chooser,
    ConstantWeights,
    DualAscent,
    EqualityConstraint,
    GainRidge,
    GradNorm,
    ImplicitBilevel,
    LaplaceEvidence,
    ModulatedGains,
    OpenedGains,
    ResilientConstraint,
    SuccessiveHalving,
    ValidationWeights,
    Weighting,
)
from learnsym.objectives.co_moved import CoMoved
from learnsym.objectives.contrastive import Contrastive
from learnsym.objectives.full_orbit import FullOrbit
from learnsym.objectives.gaussian_likelihood import GaussianLikelihood
from learnsym.objectives.latent_defect import LatentDefect
from learnsym.objectives.losses import LossConfig, LossFunction, Segmentation, cross_entropy, losses, mse
from learnsym.objectives.mixture import MixtureLikelihood
from learnsym.objectives.moved_examples import MovedExamples
from learnsym.objectives.of_batch import OfBatch
from learnsym.objectives.potential_loss import PotentialLoss, potential_errors
from learnsym.objectives.regularised import Augerino, LikelihoodELBO, Probabilistic, Regularised, WithPrior
from learnsym.objectives.remul import Remul
from learnsym.objectives.self_supervision import (
    EquivariantHead,
    InvariantContrast,
    Jigsaw,
    LearnedPoses,
    NaiveHead,
    Pretext,
    PretextPrediction,
    RandomViews,
    RelativePosition,
    RotationLabel,
    closed_permutations,
    info_nce,
    pose_scores,
    spread_permutations,
)
from learnsym.objectives.supervised import Supervised
from learnsym.objectives.terms import (
    Regulariser,
    anchored,
    entropy,
    functional,
    learned_distributions,
    norm,
    orbit_variance,
    penalties,
    regularisers,
    sparse_norm,
    squared_norm,
)

__all__ = [
    "AnnealedGains",
    "Augerino",
    "Batch",
    "Bilevel",
    "Candidate",
    "Chooser",
    "CoMoved",
    "ConstantWeights",
    "Contrastive",
    "DualAscent",
    "EqualityConstraint",
    "EquivariantHead",
    "FullOrbit",
    "GainRidge",
    "GaussianLikelihood",
    "GradNorm",
    "ImplicitBilevel",
    "InvariantContrast",
    "Jigsaw",
    "LaplaceEvidence",
    "LatentDefect",
    "LearnedPoses",
    "LikelihoodELBO",
    "Loss",
    "LossConfig",
    "LossFunction",
    "MixtureLikelihood",
    "ModulatedGains",
    "MovedExamples",
    "NaiveHead",
    "Objective",
    "OfBatch",
    "OpenedGains",
    "PotentialLoss",
    "Pretext",
    "PretextPrediction",
    "Probabilistic",
    "RandomViews",
    "Regularised",
    "Regulariser",
    "RelativePosition",
    "Remul",
    "ResilientConstraint",
    "RotationLabel",
    "Segmentation",
    "SuccessiveHalving",
    "Supervised",
    "ValidationWeights",
    "Weighting",
    "WithPrior",
    "anchored",
    "bank",
    "choosers",
    "closed_permutations",
    "cross_entropy",
    "entropy",
    "functional",
    "info_nce",
    "learned_distributions",
    "losses",
    "mse",
    "norm",
    "orbit_variance",
    "penalties",
    "pose_scores",
    "potential_errors",
    "regularisers",
    "sparse_norm",
    "spread_permutations",
    "squared_norm",
    "terms",
]
