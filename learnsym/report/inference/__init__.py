"""The answer from the data alone: verdicts, one page, one table."""

from learnsym.report.inference.infer import infer, infer_source
from learnsym.report.inference.results import Inference
from learnsym.report.inference.table import text_table

__all__ = ["Inference", "infer", "infer_source", "text_table"]
