"""The page and the table of a run or a folder of runs: which symmetry was inferred."""

from learnsym.report.run.analyze import analyze
from learnsym.report.run.page import render
from learnsym.report.run.results import Analysis
from learnsym.report.run.table import text_table

__all__ = ["Analysis", "analyze", "render", "text_table"]
