"""Statistics: estimates, intervals and variance components over examples and seeds, for all that measures."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learnsym.statistics.bootstrap import bootstrap_interval, bootstrap_seeds, percentile_interval
    from learnsym.statistics.components import VarianceComponents, variance_components
    from learnsym.statistics.estimate import Estimate
    from learnsym.statistics.interval import LEVEL, Interval, check_level
    from learnsym.statistics.paired import PairedDifference, paired_difference, ratio_of_means
    from learnsym.statistics.student import over_seeds, student_interval, student_quantile

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
_FILES = {
    "bootstrap": ("bootstrap_interval", "bootstrap_seeds", "percentile_interval"),
    "components": ("VarianceComponents", "variance_components"),
    "estimate": ("Estimate",),
    "interval": ("LEVEL", "Interval", "check_level"),
    "paired": ("PairedDifference", "paired_difference", "ratio_of_means"),
    "student": ("over_seeds", "student_interval", "student_quantile"),
}
_HOMES = {name: file for file, names in _FILES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a name on first use, so that `learnsym --help` does not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return globals()[name]
