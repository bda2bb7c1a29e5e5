"""Comparisons: twins over training examples, model sizes, lengths of training, learning rates and seeds."""

from learnsym.comparison.choice import chosen
from learnsym.comparison.compare import compare
from learnsym.comparison.config import ComparisonConfig
from learnsym.comparison.config_file import dump_comparison, read_comparison
from learnsym.comparison.grid import Cell, cells
from learnsym.comparison.networks import Network, networks
from learnsym.comparison.plan import Plan
from learnsym.comparison.table import table
from learnsym.comparison.work import work

__all__ = [
    "Cell",
    "ComparisonConfig",
    "Network",
    "Plan",
    "cells",
    "chosen",
    "compare",
    "dump_comparison",
    "networks",
    "read_comparison",
    "table",
    "work",
]
