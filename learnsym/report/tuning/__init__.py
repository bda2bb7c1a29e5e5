"""The page and the figures of a search."""

from learnsym.report.tuning.page import draw_tuning, render
from learnsym.report.tuning.search import Search, Trial, read_search

__all__ = ["Search", "Trial", "draw_tuning", "read_search", "render"]
