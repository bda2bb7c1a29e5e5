"""The page, the figures and the command of a study of scaling."""

from learnsym.report.scaling.command import add_arguments, run
from learnsym.report.scaling.page import draw_scaling, render
from learnsym.report.scaling.table import text_table

__all__ = ["add_arguments", "draw_scaling", "render", "run", "text_table"]
