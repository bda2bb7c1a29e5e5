"""What holds a model to its symmetry: terms that an objective adds to the loss on the targets."""

from learnsym.objectives.terms._term import Term
from learnsym.objectives.terms.covering import covering
from learnsym.objectives.terms.defect import OrbitOutputs, anchored, functional, orbit_variance, penalties
from learnsym.objectives.terms.entropy_band import EntropyBand
from learnsym.objectives.terms.increase_along_depth import IncreaseAlongDepth
from learnsym.objectives.terms.likelihoods import Alignment, DivergenceAlongDepth, PosteriorDivergence
from learnsym.objectives.terms.moves import Moves
from learnsym.objectives.terms.prior import Prior
from learnsym.objectives.terms.projection_penalty import ProjectionPenalty
from learnsym.objectives.terms.regularisers import (
    Regulariser,
    entropy,
    norm,
    regularisers,
    sparse_norm,
    squared_norm,
)
from learnsym.objectives.terms.reward import Reward, learned_distributions
from learnsym.objectives.terms.sharing import Sharing

__all__ = [
    "Alignment",
    "DivergenceAlongDepth",
    "EntropyBand",
    "IncreaseAlongDepth",
    "Moves",
    "OrbitOutputs",
    "PosteriorDivergence",
    "Prior",
    "ProjectionPenalty",
    "Regulariser",
    "Reward",
    "Sharing",
    "Term",
    "anchored",
    "covering",
    "entropy",
    "functional",
    "learned_distributions",
    "norm",
    "orbit_variance",
    "penalties",
    "regularisers",
    "sparse_norm",
    "squared_norm",
]
