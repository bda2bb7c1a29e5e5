"""The page, the figures and the words of a study of scaling."""

from learnsym.report.scaling.page import draw_scaling, render
from learnsym.report.scaling.table import problem_rows, text_table
from learnsym.report.scaling.words import verdicts

__all__ = ["draw_scaling", "problem_rows", "render", "text_table", "verdicts"]
