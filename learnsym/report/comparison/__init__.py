"""The page and the figures of a comparison."""

from learnsym.report.comparison.findings import Findings, read_findings
from learnsym.report.comparison.page import draw_comparison, duration, render
from learnsym.report.comparison.words import crossover_verdict, efficiency_verdict, regret_verdict
from learnsym.report.words import Verdict

__all__ = [
    "Findings",
    "Verdict",
    "crossover_verdict",
    "draw_comparison",
    "duration",
    "efficiency_verdict",
    "read_findings",
    "regret_verdict",
    "render",
]
