"""The findings as one aligned table, for the terminal."""

from __future__ import annotations

from learnsym.inference import Finding
from learnsym.report.inference.results import Inference
from learnsym.report.tables import aligned


def text_table(inference: Inference) -> str:
    """One row a candidate: what the data show, what labels tolerate, what it means; then all of it in one sentence."""
    advice = inference.advice
    rows = [("candidate", "in the data", "kept by the labels", "in training")]
    for name in dict.fromkeys(finding.candidate for finding in inference.findings):
        pair = {f.notion: f for f in inference.findings if f.candidate == name}
        cells = (cell(pair.get("distribution")), cell(pair.get("task")))
        rows.append((pair["distribution"].title, *cells, advice.get(name, pair["distribution"].reason)))
    notes = [f"note: {note}" for note in inference.notes]
    return "\n".join([aligned(rows), "", f"In training: {inference.summary}.", *notes])


def cell(finding: Finding | None) -> str:
    """A verdict in few words."""
    return "" if finding is None else finding.words
