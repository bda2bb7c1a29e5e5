"""The page of a study of scaling: one self-contained file, readable on a phone and in print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from learnsym.files import write_atomically
from learnsym.report.figures.arms import arm_looks
from learnsym.report.html import by_kind, environment
from learnsym.report.panel import Panel, drawn
from learnsym.report.scaling import table, words
from learnsym.report.scaling.panels import panels
from learnsym.scaling.settings import StudySettings
from learnsym.scaling.study import Study, study_folder
from learnsym.scaling.study_json import write_study


def draw_scaling(folder: str | Path, settings: StudySettings | None = None, unfinished: bool = False) -> Study:
    """Fit the laws of a comparison and write `scaling.json`, `scaling.html` and `figures/scaling_*`.

    Args:
        folder: the folder of a comparison (`learnsym compare`), with `table.parquet`.
        settings: how.
        unfinished: whether a comparison is taken of which cells are left to train; the page says so.

    Raises:
        ValueError: when there is no table, cells are left to train, none has finished, or no arm has enough cells for a
            law.
    """
    folder = Path(folder)
    study = study_folder(folder, settings, unfinished)
    write_study(study, folder / "scaling.json")
    drawings = [drawn(panel, folder / "figures") for panel in panels(study)]
    write_atomically(folder / "scaling.html", render(study, drawings).encode())
    return study


def render(study: Study, drawings: Sequence[Panel]) -> str:
    """The page as text.

    Args:
        study: what was found.
        drawings: the drawn figures.
    """
    pages = environment()
    kind = study.settings.flops
    return pages.get_template("scaling.html.j2").render(
        study=study,
        verdicts=words.verdicts(study),
        splits=[words.split(arm, kind) for arm in study.arms],
        repeats=[text for arm in study.arms if (text := words.repeats(arm))],
        looks=arm_looks([arm.runs.arm for arm in study.arms]),
        header=table.HEADER,
        rows=table.law_rows(study),
        costs=words.cost_rows(study),
        problems=table.problem_rows(study),
        panels=by_kind(drawings),
    )
