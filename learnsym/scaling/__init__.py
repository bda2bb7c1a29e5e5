"""Laws of loss against parameters, data and compute."""

from learnsym.scaling.bootstrap import LawIntervals, law_intervals
from learnsym.scaling.cost import SampleCost
from learnsym.scaling.exponents import ExponentComparison, Grid, compare_exponents
from learnsym.scaling.fit import fit_law
from learnsym.scaling.isoflop import IsoFlop, isoflop
from learnsym.scaling.law import Law
from learnsym.scaling.noise import huber_delta
from learnsym.scaling.repeated import RepeatedLaw, effective_data, fit_repeated
from learnsym.scaling.repeated_intervals import RepeatedIntervals, repeated_intervals
from learnsym.scaling.runs import Runs, read_runs
from learnsym.scaling.same_loss import compute_ratios
from learnsym.scaling.settings import StudySettings
from learnsym.scaling.study import Study, study, study_folder
from learnsym.scaling.study_json import write_study

__all__ = [
    "ExponentComparison",
    "Grid",
    "IsoFlop",
    "Law",
    "LawIntervals",
    "RepeatedIntervals",
    "RepeatedLaw",
    "Runs",
    "SampleCost",
    "Study",
    "StudySettings",
    "compare_exponents",
    "compute_ratios",
    "effective_data",
    "fit_law",
    "fit_repeated",
    "huber_delta",
    "isoflop",
    "law_intervals",
    "read_runs",
    "repeated_intervals",
    "study",
    "study_folder",
    "write_study",
]
