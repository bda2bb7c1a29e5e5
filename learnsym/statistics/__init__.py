"""Statistics: estimates, intervals and variance components over examples and seeds, for all that measures."""

from learnsym.statistics.bootstrap import bootstrap_interval, bootstrap_seeds, percentile_interval
from learnsym.statistics.estimate import Estimate
from learnsym.statistics.interval import LEVEL, Interval, check_level
from learnsym.statistics.paired import PairedDifference, paired_difference, ratio_of_means
from learnsym.statistics.student import over_seeds, student_interval, student_quantile
from learnsym.statistics.variance_components import VarianceComponents, variance_components

__all__ = [
    "LEVEL",
    "Estimate",
    "Interval",
    "PairedDifference",
    "VarianceComponents",
    "bootstrap_interval",
    "bootstrap_seeds",
    "check_level",
    "over_seeds",
    "paired_difference",
    "percentile_interval",
    "ratio_of_means",
    "student_interval",
    "student_quantile",
    "variance_components",
]
