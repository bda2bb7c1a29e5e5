"""The whole suite in one call."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learnsym.data.known import task_by_name
from learnsym.files import check_folder, read_json, write_json
from learnsym.report.run.store import results
from learnsym.suite.cells import Cell, cells, piece
from learnsym.suite.config import SuiteConfig
from learnsym.suite.page import write_page
from learnsym.suite.results import Suite
from learnsym.suite.scores import Entry

SETTINGS = "settings.json"


def run(config: SuiteConfig, out: str | os.PathLike[str], progress: bool = True) -> Suite:
    """Ask all estimators about all tasks, and keep each answer, the table and a page in a folder.

    What is there is used again: the same call continues after a kill, and one that asks more adds to it.

    Args:
        config: which tasks, methods and choosers, and with how much effort.
        out: folder of the suite.
        progress: whether to show a bar on a terminal.

    Raises:
        ValueError: when the folder holds something else, or a suite of another size.
    """
    folder = kept(config, Path(out))
    found = list(cells(config))
    fitting = [cell for cell, reason in found if not reason]
    pieces = {cell: piece(config, cell, folder / "cells") for cell in fitting}
    distinct = {each.path: each for each in pieces.values()}
    computed = dict(zip(distinct, results(list(distinct.values()), config.workers, progress, "suite"), strict=True))
    answers = {cell: computed[each.path] for cell, each in pieces.items()}
    entries = [_entry(cell, reason, answers.get(cell, {})) for cell, reason in found]
    suite = Suite(config=config, path=folder, entries=entries)
    content = {"suite": 1, "config": asdict(config), "scores": [asdict(s) for s in suite.scores], "entries": entries}
    write_json(folder / "suite.json", content, indent=1)
    write_page(suite)
    return suite


def kept(config: SuiteConfig, folder: Path) -> Path:
    """The folder, with a note of what it holds.

    Raises:
        ValueError: when it holds something else.
    """
    check_folder(folder)
    note, own = folder / SETTINGS, {"suite": config.size, "level": config.level}
    if note.exists():
        held = read_json(note, "out", "take another --out", {"suite": str, "level": (int, float)})
        for key, flag in (("suite", "size"), ("level", "level")):
            if held[key] != own[key]:
                raise ValueError(
                    f"out: {folder} holds a suite whose {flag} is {held[key]}, and {own[key]} is asked for; take "
                    "another --out"
                )
        return folder
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"out: {folder} holds something else than a suite; take a new or empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(note, own)
    return folder


def _entry(cell: Cell, reason: str, result: dict[str, Any]) -> Entry:
    task = task_by_name(cell.task)
    return {
        **asdict(cell),
        "estimator": cell.estimator,
        "family": task.family,
        "domain": task.domain,
        "half": task.half,
        "truth": str(task.truth),
        "reason": reason or result.get("reason", "") * ("estimate" not in result),
        "result": result,
    }
