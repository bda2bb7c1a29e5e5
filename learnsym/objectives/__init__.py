"""What is minimised: functions of a model and a batch that give a loss with named parts."""

from learnsym.objectives import choosers as choosers
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
    ResilientConstraint,
    SuccessiveHalving,
    ValidationWeights,
    Weighting,
)
from learnsym.objectives.co_moved import CoMoved
from learnsym.objectives.contrastive import Contrastive
from learnsym.objectives.latent_defect import LatentDefect
from learnsym.objectives.losses import LossConfig, LossFunction, Segmentation, cross_entropy, losses, mse
from learnsym.objectives.mixture import MixtureLikelihood
from learnsym.objectives.moved_examples import MovedExamples
from learnsym.objectives.of_batch import OfBatch
from learnsym.objectives.potential_loss import PotentialLoss, potential_errors
from learnsym.objectives.regularised import Augerino, LikelihoodELBO, Probabilistic, Regularised, WithPrior
from learnsym.objectives.remul import Remul
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
    "GainRidge",
    "GradNorm",
    "ImplicitBilevel",
    "LaplaceEvidence",
    "LatentDefect",
    "LikelihoodELBO",
    "Loss",
    "LossConfig",
    "LossFunction",
    "MixtureLikelihood",
    "ModulatedGains",
    "MovedExamples",
    "Objective",
    "OfBatch",
    "PotentialLoss",
    "Probabilistic",
    "Regularised",
    "Regulariser",
    "Remul",
    "ResilientConstraint",
    "Segmentation",
    "SuccessiveHalving",
    "Supervised",
    "ValidationWeights",
    "Weighting",
    "WithPrior",
    "anchored",
    "bank",
    "choosers",
    "cross_entropy",
    "entropy",
    "functional",
    "learned_distributions",
    "losses",
    "mse",
    "norm",
    "orbit_variance",
    "penalties",
    "potential_errors",
    "regularisers",
    "sparse_norm",
    "squared_norm",
    "terms",
]
