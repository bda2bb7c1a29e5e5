"""What was inferred, as figures, one page and one table."""

from learnsym.report import figures, html
from learnsym.report.analyze import analyze
from learnsym.report.results import Analysis

__all__ = ["Analysis", "analyze", "figures", "html"]
