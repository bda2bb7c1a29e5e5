"""The degree of symmetry in the data: networks averaged over transformed inputs; exact, fixed and plain twins."""

from learnsym.augment.augmented import Augmented
from learnsym.augment.averages import averages, mean_log_probabilities, mean_outputs, mean_probabilities
from learnsym.augment.config import AugmentConfig
from learnsym.augment.instance_wise import EntropyBand, InstanceBox, InstanceCategorical
from learnsym.augment.orbit import OrbitAveraged, quadrature
from learnsym.augment.twins import Plain, build, equivariant, fixed, twin

__all__ = [
    "AugmentConfig",
    "Augmented",
    "EntropyBand",
    "InstanceBox",
    "InstanceCategorical",
    "OrbitAveraged",
    "Plain",
    "averages",
    "build",
    "equivariant",
    "fixed",
    "mean_log_probabilities",
    "mean_outputs",
    "mean_probabilities",
    "quadrature",
    "twin",
]
