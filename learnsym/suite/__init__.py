"""The known-symmetry suite: whatever says how much symmetry there is, asked about tasks whose answer is known."""

from learnsym.suite.config import METHODS, SIZES, Size, SuiteConfig
from learnsym.suite.results import Suite
from learnsym.suite.run import run
from learnsym.suite.scores import Score, scores_of
from learnsym.suite.table import markdown_table, text_table

__all__ = [
    "METHODS",
    "SIZES",
    "Score",
    "Size",
    "Suite",
    "SuiteConfig",
    "markdown_table",
    "run",
    "scores_of",
    "text_table",
]
