"""Laws of loss against parameters, data and compute."""

from learnsym.scaling.bootstrap import LawIntervals, law_intervals
from learnsym.scaling.exponents import ExponentComparison, Grid, compare_exponents
from learnsym.scaling.fit import fit_law
from learnsym.scaling.isoflop import IsoFlop, isoflop
from learnsym.scaling.law import Law
from learnsym.scaling.repeated import RepeatedLaw, effective_data, fit_repeated

__all__ = [
    "ExponentComparison",
    "Grid",
    "IsoFlop",
    "Law",
    "LawIntervals",
    "RepeatedLaw",
    "compare_exponents",
    "effective_data",
    "fit_law",
    "fit_repeated",
    "isoflop",
    "law_intervals",
]
