"""Who chooses how much symmetry holds; any of them for any place where the degree lives, as far as it makes sense."""

from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.annealing import AnnealedGains, Schedule
from learnsym.objectives.choosers.dual_ascent import DualAscent, Tolerance
from learnsym.objectives.choosers.elbo import EvidenceBound
from learnsym.objectives.choosers.equality import Equality, EqualityConstraint
from learnsym.objectives.choosers.forward_selection import ForwardSelection, OpenedGains
from learnsym.objectives.choosers.gradnorm import EqualGradients, GradNorm
from learnsym.objectives.choosers.implicit import ImplicitBilevel, ImplicitHeldOutLoss, neumann_solve
from learnsym.objectives.choosers.marginal_likelihood import LaplaceEvidence, MarginalLikelihood
from learnsym.objectives.choosers.modulation import ModulatedGains, Modulation
from learnsym.objectives.choosers.resilience import GainRidge, Resilience, ResilientConstraint, RidgeOnGains
from learnsym.objectives.choosers.selection import Selection, SuccessiveHalving
from learnsym.objectives.choosers.training import ConstantWeights, TrainingLoss
from learnsym.objectives.choosers.validation import Bilevel, HeldOutLoss, ValidationWeights
from learnsym.objectives.choosers.weighting import Weighting

registry: dict[str, type[Chooser]] = {
    chooser.name: chooser
    for chooser in (
        *(TrainingLoss, HeldOutLoss, ImplicitHeldOutLoss, Selection, EvidenceBound, MarginalLikelihood),
        *(Equality, Resilience, RidgeOnGains, Schedule, Modulation, ForwardSelection),
        *(EqualGradients, Tolerance),
    )
}
"""Choosers by their names in configurations."""

__all__ = [
    "AnnealedGains",
    "Bilevel",
    "Chooser",
    "ConstantWeights",
    "DualAscent",
    "EqualGradients",
    "Equality",
    "EqualityConstraint",
    "EvidenceBound",
    "ForwardSelection",
    "GainRidge",
    "GradNorm",
    "HeldOutLoss",
    "ImplicitBilevel",
    "ImplicitHeldOutLoss",
    "LaplaceEvidence",
    "MarginalLikelihood",
    "ModulatedGains",
    "Modulation",
    "OpenedGains",
    "Resilience",
    "ResilientConstraint",
    "RidgeOnGains",
    "Schedule",
    "Selection",
    "SuccessiveHalving",
    "Tolerance",
    "TrainingLoss",
    "ValidationWeights",
    "Weighting",
    "neumann_solve",
    "registry",
]
