"""The page and the figures of a comparison."""

from learnsym.report.comparison.crossover import crossover_verdict
from learnsym.report.comparison.efficiency import efficiency_verdict
from learnsym.report.comparison.findings import Findings, read_findings
from learnsym.report.comparison.page import draw_comparison, render
from learnsym.report.comparison.recommendation import recommendation
from learnsym.report.comparison.regret import regret_verdict
from learnsym.report.words import Verdict

__all__ = [
    "Findings",
    "Verdict",
    "crossover_verdict",
    "draw_comparison",
    "efficiency_verdict",
    "read_findings",
    "recommendation",
    "regret_verdict",
    "render",
]
