"""What was inferred, as figures, one page and one table."""

from learnsym.report import figures
from learnsym.report.run import Analysis, analyze, text_table

__all__ = ["Analysis", "analyze", "figures", "text_table"]
