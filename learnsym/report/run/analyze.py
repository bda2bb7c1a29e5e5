"""`analyze`: infer, measure, draw."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from learnsym._batches import NeedsMore
from learnsym.degrees import write_degrees
from learnsym.files import write_atomically
from learnsym.measure.config import AnalysisConfig
from learnsym.report.run.collect import data_result, environment_of
from learnsym.report.run.draw import draw
from learnsym.report.run.groups import DataGroup, group_runs
from learnsym.report.run.own import own_results
from learnsym.report.run.page import render
from learnsym.report.run.pieces import rows_of_run
from learnsym.report.run.plan import memory_of_each, plan
from learnsym.report.run.results import Analysis, DataResult
from learnsym.report.run.store import results
from learnsym.training import OwnRun, find_own_runs
from learnsym.training.config_file import dump_config, read_config

logger = logging.getLogger(__name__)


def analyze(
    path: str | os.PathLike[str],
    *,
    settings: AnalysisConfig | None = None,
    overrides: Sequence[str] = (),
    progress: bool = True,
    unfinished: bool = False,
) -> Analysis:
    """Infer the symmetry of the data and of the trained twins in a folder of runs; write the report.

    Runs are grouped by data label and twin, with seeds as replicates. Each finished piece of the computation is kept
    in `analysis/` beside the runs and is not computed again as long as its inputs stay the same. Written in `path`:
    `symmetry.json`, `report.html` and `figures/`.

    With more than one worker a script needs `if __name__ == "__main__":`, as all of multiprocessing does.

    Args:
        path: a run, or a folder that contains runs; of runs made in Python, what their records say is shown.
        settings: what to compute; None for the `analysis` section of the first run of each data set.
        overrides: changes to that section, as on the command line: `["--analysis.angle_examples", "500"]`.
        progress: whether to show progress bars on a terminal.
        unfinished: whether runs are taken as they are that are not trained to their end; the results say so.

    Returns:
        The findings; `text_table(analysis)` is their text and `analysis.report` the path of the page.

    Raises:
        ValueError: before any work, when there is no run, or one cannot be read, is not trained to its end, or has
            weights that are not those of its configuration, an override is unknown, or one example takes more than
            the memory; it names the remedy.
    """
    folder = Path(path)
    if own := find_own_runs(folder):
        return _analyzed_in_python(folder, own, settings or AnalysisConfig(), overrides, progress, unfinished)
    groups = group_runs(folder, unfinished)
    environment = environment_of(groups[0].first)  # what cannot be read is found before hours of work
    chosen = {group.label: settings or _overridden(group, overrides) for group in groups}
    for group in groups:
        _check_room(group, chosen[group.label])
    findings = _computed(groups, chosen, progress)
    level = next(iter(chosen.values())).level
    analysis = Analysis(
        path=folder,
        data=findings,
        level=level,
        config={group.label: dump_config(group.first.config) for group in groups},
        environment=environment,
    )
    write(analysis, progress)
    return analysis


def _check_room(group: DataGroup, settings: AnalysisConfig) -> None:
    """Refuse a limit of memory within which an example of a run cannot be computed."""
    test = group.first.splits().test
    try:
        for run in group.runs:
            rows_of_run(run.model(), test, memory_of_each(settings))
    except NeedsMore as error:
        raise error.of(settings.workers) from None


def _analyzed_in_python(
    folder: Path,
    own: Sequence[OwnRun],
    settings: AnalysisConfig,
    overrides: Sequence[str],
    progress: bool,
    unfinished: bool,
) -> Analysis:
    """The findings of runs of modules of your own, whose records say all that there is to say without their code."""
    if overrides:
        raise ValueError(
            f"{overrides[0].lstrip('-')}: {folder} was trained in Python, where only what its record says is shown; "
            "leave it out"
        )
    if any(folder.rglob("config.yaml")):
        raise ValueError(
            f"run: {folder} holds runs of configurations and runs made in Python; analyze one kind of them"
        )
    data = own_results(folder, settings, unfinished)
    config = {run.data: json.dumps(run.record, indent=2, sort_keys=True) for run in reversed(own)}
    analysis = Analysis(path=folder, data=data, level=settings.level, config=config, environment=environment_of(own[0]))
    write(analysis, progress)
    return analysis


def write(analysis: Analysis, progress: bool = True) -> None:
    """Write `symmetry.json`, the figures and the page of an analysis."""
    write_degrees(analysis.path / "symmetry.json", analysis.degrees, analysis.unfinished)
    panels = draw(analysis, analysis.path / "figures", progress)
    write_atomically(analysis.report, render(analysis, panels).encode())
    logger.info("wrote %s", analysis.report)


def _overridden(group: DataGroup, overrides: Sequence[str]) -> AnalysisConfig:
    for key in (word for word in overrides if word.startswith("--")):
        if not key.startswith("--analysis."):
            raise ValueError(f"{key.lstrip('-')}: is not a key of the analysis; those begin with analysis.")
    return read_config(group.first.path / "config.yaml", overrides).analysis


def _computed(groups: Sequence[DataGroup], chosen: dict[str, AnalysisConfig], progress: bool) -> list[DataResult]:
    plans = [plan(group, chosen[group.label]) for group in groups]
    # the longest first, so that processes end together
    pieces = sorted((piece for planned in plans for piece in planned.pieces), key=lambda piece: -piece.cost)
    workers = max(settings.workers for settings in chosen.values())
    computed = dict(zip((piece.path for piece in pieces), results(pieces, workers, progress), strict=True))
    return [
        data_result(group, planned, computed, chosen[group.label]) for group, planned in zip(groups, plans, strict=True)
    ]
