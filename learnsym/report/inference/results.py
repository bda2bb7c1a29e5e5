"""What an inference found, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from learnsym.degrees import Degree
from learnsym.inference import Finding, advice
from learnsym.inference.advice import snippet, summary


@dataclass(frozen=True, kw_only=True)
class Inference:
    """The symmetries of a data set.

    Args:
        data: what the data are called.
        findings: the verdict on each candidate, from the examples alone and from the labels.
        degrees: the same as rows of `symmetry.json`.
        examples: how many were looked at.
        available: how many there are.
        shape: of one example.
        level: probability with which all verdicts hold together.
        laws: what was measured for each candidate, by name.
        harms: width, harm and standard error of each candidate that labels were asked about, by name.
        path: folder of the page; None when nothing was written.
        notes: what was assumed about the data.
    """

    data: str
    findings: list[Finding]
    degrees: list[Degree]
    examples: int
    available: int
    shape: tuple[int, ...]
    level: float
    laws: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    harms: Mapping[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    path: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def page(self) -> Path | None:
        """The page."""
        return None if self.path is None else self.path / "report.html"

    @property
    def advice(self) -> dict[str, str]:
        """What each candidate means for training, by its name."""
        return advice(self.findings)

    @property
    def summary(self) -> str:
        """What to do in training, in one sentence."""
        return summary(self.findings)

    @property
    def snippet(self) -> str:
        """Python that augments a network accordingly."""
        return snippet(self.findings)

    def finding(self, candidate: str, notion: str = "distribution") -> Finding:
        """The verdict on a candidate.

        Raises:
            ValueError: when there is none of that name.
        """
        for finding in self.findings:
            if (finding.candidate, finding.notion) == (candidate, notion):
                return finding
        known = ", ".join(dict.fromkeys(finding.candidate for finding in self.findings))
        raise ValueError(f"candidate: got {candidate!r} ({notion}), must be one of {known}")
