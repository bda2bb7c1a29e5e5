"""Tuning: studies of Optuna over configurations, with seeds as repeats."""

from learnsym.tuning.ranges import Choices, Range
from learnsym.tuning.results import best_so_far, table, write_results
from learnsym.tuning.retry import retry_failed
from learnsym.tuning.space import SearchSpace
from learnsym.tuning.space_file import read_space, space_path
from learnsym.tuning.study import TuningStudy, open_study
from learnsym.tuning.tune import prepare, tune

__all__ = [
    "Choices",
    "Range",
    "SearchSpace",
    "TuningStudy",
    "best_so_far",
    "open_study",
    "prepare",
    "read_space",
    "retry_failed",
    "space_path",
    "table",
    "tune",
    "write_results",
]
