"""The page of an inference: verdicts in words with a gauge, figures, and what they mean for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learnsym.inference import Finding
from learnsym.report.html import by_kind, environment
from learnsym.report.inference.gauge import gauge
from learnsym.report.inference.results import Inference
from learnsym.report.panel import Panel

ORDER = {"full": 0, "up to": 1, "absent": 2, "cannot be told": 3, "does not fit": 4}
"""What is there comes first."""


def render(inference: Inference, panels: Sequence[Panel]) -> str:
    """The page.

    Args:
        inference: what was found.
        panels: the drawn figures.
    """
    rows = [row for row in _rows(inference) if row["law"].status != "does not fit"]
    rows.sort(key=lambda row: ORDER[row["law"].status])
    return (
        environment()
        .get_template("inference.html.j2")
        .render(
            inference=inference,
            rows=rows,
            unfit=[f for f in inference.findings if f.status == "does not fit"],
            panels=by_kind(panels),
            levels=f"{inference.level:.0%}",
            headline=headline([row["law"] for row in rows]),
        )
    )


def headline(laws: Sequence[Finding]) -> str:
    """What the data show, in one sentence.

    Example:
        >>> headline([])
        'These data show none of the symmetries that were looked for.'
    """
    present = [f"{law.title} ({_briefly(law)})" for law in laws if law.is_present]
    if not present:
        return "These data show none of the symmetries that were looked for."
    return f"These data show {', '.join(present)}."


def _briefly(law: Finding) -> str:
    """The verdict without its interval."""
    return law.words.split(" [")[0].split(",")[0]


def _rows(inference: Inference) -> list[dict[str, Any]]:
    rows, advice = [], inference.advice
    for name in dict.fromkeys(finding.candidate for finding in inference.findings):
        pair = {f.notion: f for f in inference.findings if f.candidate == name}
        law, task = pair["distribution"], pair.get("task")
        rows.append({"law": law, "task": task, "advice": advice.get(name, ""), "gauge": gauge(law, task)})
    return rows
