"""The degree of symmetry in the data: networks averaged over transformed inputs; exact, fixed and plain twins."""

from learnsym.augment.augmented import Augmented
from learnsym.augment.averages import averages, mean_log_probabilities, mean_outputs, mean_probabilities
from learnsym.augment.hypotheses import Hypotheses
from learnsym.augment.instance_wise import InstanceBox, InstanceCategorical
from learnsym.augment.law_transform import LawTransform
from learnsym.augment.laws import laws
from learnsym.augment.orbit import OrbitAveraged, quadrature
from learnsym.augment.twins import Plain, equivariant, fixed

__all__ = [
    "Augmented",
    "Hypotheses",
    "InstanceBox",
    "InstanceCategorical",
    "LawTransform",
    "OrbitAveraged",
    "Plain",
    "averages",
    "equivariant",
    "fixed",
    "laws",
    "mean_log_probabilities",
    "mean_outputs",
    "mean_probabilities",
    "quadrature",
]
