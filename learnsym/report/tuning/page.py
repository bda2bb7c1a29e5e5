"""The page of a search: one self-contained file, readable on a phone and in print."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from learnsym.files import write_atomically
from learnsym.report.html import by_kind, environment
from learnsym.report.panel import Panel, drawn
from learnsym.report.tuning import words
from learnsym.report.tuning.panels import name_of, panels
from learnsym.report.tuning.search import Search, Trial, read_search
from learnsym.report.words import duration
from learnsym.tuning import TuningStudy


def draw_tuning(study: TuningStudy, folder: str | os.PathLike[str]) -> Path:
    """Draw the figures and the page of a study, also of one whose trials are not done or have failed.

    Args:
        study: from `open_study`.
        folder: of the study; the page is `tune.html`, figures are in `figures/`.

    Returns:
        The page.
    """
    search = read_search(study)
    figures = [drawn(panel, Path(folder) / "figures") for panel in panels(search)]
    page = Path(folder) / "tune.html"
    write_atomically(page, render(search, figures).encode())
    return page


def render(search: Search, figures: Sequence[Panel]) -> str:
    """The page as text.

    Args:
        search: what the study has found.
        figures: the drawn figures.
    """
    return (
        environment()
        .get_template("tune.html.j2")
        .render(
            search=search,
            verdict=words.verdict(search),
            panels=by_kind(figures),
            searched=words.searched(search),
            objectives=[name_of(objective) for objective in search.space.objectives],
            rows=[_row(search, trial) for trial in _in_order(search)],
            failures=_failures(search),
            configuration=yaml.safe_dump(search.configuration, sort_keys=False, allow_unicode=True),
        )
    )


def _in_order(search: Search) -> list[Trial]:
    """Complete trials, best first, then the others."""
    return [*search.ranked, *(trial for trial in search.trials if trial.state != "complete")]


def _row(search: Search, trial: Trial) -> dict[str, Any]:
    places = range(len(search.space.objectives))
    return {
        "number": trial.number,
        "state": "failed" if trial.state == "fail" else trial.state,
        "best": trial is search.best,
        "scores": [words.score(search, trial, place) if trial.values else "–" for place in places],
        "settings": [
            words.shown(trial.parameters[key]) if key in trial.parameters else "–" for key in search.space.parameters
        ],
        "seeds": len(trial.by_seed),
        "time": "–" if math.isnan(trial.seconds) else duration(trial.seconds),
    }


def _failures(search: Search) -> list[tuple[str, list[int]]]:
    """Reasons of failed trials, each with the numbers of its trials."""
    failed = sorted(search.of("fail"), key=lambda trial: trial.failure)
    groups = groupby(failed, key=lambda trial: trial.failure or "no reason was kept")
    return [(reason, [trial.number for trial in group]) for reason, group in groups]
