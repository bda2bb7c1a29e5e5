"""What was inferred, as figures, one page and one table."""

from learnsym.report import figures, html
from learnsym.report.results import Analysis

__all__ = ["Analysis", "figures", "html"]
