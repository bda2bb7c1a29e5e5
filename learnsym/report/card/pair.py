"""Which of two models is more symmetric: pair by pair, on the same examples moved by the same elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from learnsym.files import write_json
from learnsym.report.card.card import Card
from learnsym.report.card.examples import Examples
from learnsym.report.card.folder import check_folder
from learnsym.report.card.measuring import measure_model
from learnsym.report.card.pair_page import write_pair_page
from learnsym.report.card.row import AGREEMENT, ERROR, Row
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.subject import Subject
from learnsym.report.card.versus import Difference, Pair, text_of
from learnsym.statistics import Estimate, paired_difference, student_interval

VERSION = 1
FOLDERS = ("first", "second")


def check_count(models: Sequence[object]) -> None:
    """Raise ValueError for other than one or two models."""
    if len(models) not in (1, 2):
        raise ValueError(f"model: got {len(models)} models, must be one, or two to compare; leave out the others")


def measure_pair(
    subjects: Sequence[Subject],
    examples: Examples,
    symmetries: Sequence[str],
    folder: Path,
    settings: CardSettings | None = None,
    **how: Any,  # noqa: ANN401
) -> Pair:
    """Measure two models and compare them; write a card of each in `first/` and `second/`, and `card.html` beside them.

    Args:
        subjects: two models.
        examples: on which both are measured.
        symmetries: names, see `ls.symmetry.named`.
        folder: where pages are written; made when missing.
        settings: how much is measured.
        how: `output`, `output_as` and `progress` of `measure_model`.

    Raises:
        ValueError: as `measure_model`.
    """
    folder = Path(folder)
    check_folder(folder)
    first, second = (
        measure_model(subject, examples, symmetries, folder / name, settings, **how)
        for subject, name in zip(subjects, FOLDERS, strict=True)
    )
    of_task = [_difference("", a, b) for a, b in zip(first.task, second.task, strict=False) if a.measure == b.measure]
    found = [_of_symmetry(first, second, name) for name in first.symmetries]
    pair = Pair(folder=folder, first=first, second=second, task=tuple(of_task), differences=tuple(filter(None, found)))
    write_json(folder / "card.json", _content(pair), indent=1)
    write_pair_page(pair)
    return pair


def _of_symmetry(first: Card, second: Card, name: str) -> Difference | None:
    """By predictions that stay where both models have classes, else by the equivariance error."""
    for measure in (AGREEMENT, ERROR):
        a, b = first.overall(name, measure), second.overall(name, measure)
        if a is not None and b is not None:
            return _difference(name, a, b)
    return None


def _difference(symmetry: str, a: Row, b: Row) -> Difference:
    of_a, of_b = (Estimate.of(torch.tensor(row.per_example, dtype=torch.float64)) for row in (a, b))
    compared = paired_difference(of_a, of_b)
    interval = student_interval(compared.difference)
    assert interval.low is not None and interval.high is not None
    return Difference(
        symmetry=symmetry,
        measure=a.measure,
        unit=a.unit,
        first=a.shown,
        second=b.shown,
        value=interval.estimate,
        low=interval.low,
        high=interval.high,
        p_value=compared.p_value,
    )


def _content(pair: Pair) -> dict[str, Any]:
    rows = {name: [asdict(each) for each in getattr(pair, name)] for name in ("task", "differences")}
    cards = dict(zip(FOLDERS, (card.model for card in pair.cards), strict=True))
    return {"version": VERSION, "pair": cards, "verdict": text_of(pair), **rows}
