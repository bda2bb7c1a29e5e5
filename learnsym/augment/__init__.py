"""The degree of symmetry in the data: networks averaged over transformed inputs, and their exact, fixed and plain twins."""

from learnsym.augment.augmented import Augmented
from learnsym.augment.averages import averages, mean_log_probabilities, mean_outputs, mean_probabilities

__all__ = ["Augmented", "averages", "mean_log_probabilities", "mean_outputs", "mean_probabilities"]
