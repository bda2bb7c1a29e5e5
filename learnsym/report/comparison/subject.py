"""What is compared: the title of the page and the axes that vary, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from learnsym.comparison.config import merged
from learnsym.comparison.verdicts import length_unit, lengths
from learnsym.data import DataConfig
from learnsym.report.comparison.amounts import listed
from learnsym.report.comparison.findings import Findings

FEW, SHORT = 4, 48
"""Arms that a title names, and how long their names may be together."""


def title(findings: Findings) -> str:
    """The question that the comparison asks: `Which is best on digits: plain, exact or learned?`"""
    arms, data = findings.named_arms, " and ".join(data_names(findings))
    if len(arms) == 1:
        return f"{arms[0]} on {data}"
    if len(arms) > FEW or len("".join(arms)) > SHORT:
        return f"Which of {len(arms)} arms is best on {data}?"
    return f"Which is best on {data}: {', '.join(arms[:-1])} or {arms[-1]}?"


def data_names(findings: Findings) -> list[str]:
    """The data of the arms; of a file its name alone."""
    base, arms = findings.specification.get("base") or {}, findings.specification.get("arms") or {}
    sections = [merged(base, differences or {}).get("data") or {} for differences in arms.values()] or [{}]
    names = [str(section.get("name", DataConfig().name)) for section in sections]
    return list(dict.fromkeys(Path(name).name or name for name in names))


def varied(findings: Findings) -> str:
    """The axes that vary: `over training examples (100 to 450) and 3 seeds`; empty where none does."""
    axes = list(_axes(findings))
    return f"over {listed(axes)}" if axes else ""


def _axes(findings: Findings) -> Iterator[str]:
    table = findings.table
    columns = {
        "training examples": table["train"],
        "model sizes": table["size"],
        length_unit(table): lengths(table),
        "learning rates": table["lr"],
    }
    for name, values in columns.items():
        if values.nunique() > 1:
            low, high = (f"{end:g}" if end < 1 else f"{end:,.0f}" for end in (values.min(), values.max()))
            yield f"{name} ({low} to {high})"
    if (seeds := table["seed"].nunique()) > 1:
        yield f"{seeds} seeds"
