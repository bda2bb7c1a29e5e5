"""learnsym compare."""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym._configs import config_path
from learnsym._keys import COMPARISON, check_comparison, check_known, keys_in
from learnsym._sentences import check_once
from learnsym._uncollected import uncollected
from learnsym._yaml_file import read_yaml
from learnsym.cli._cluster import STORAGE, add_worker_arguments, cluster_of, share_out, works_itself
from learnsym.cli._parser import EXECUTED, folder, print_table

if TYPE_CHECKING:
    from learnsym.comparison import Plan
    from learnsym.workers import Locks

PAGE_EVERY = 60.0
"""Seconds between drawings of the page while cells end, at least."""
PAGE_SHARE = 30.0
"""Times that a drawing takes which lie between two of them, at least: a page of many cells takes long to draw."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    compare = commands.add_parser(
        "compare",
        help="which twin to take: arms x examples x sizes x lengths x seeds: table.parquet, comparison.html",
        epilog=f"Keys of the comparison may follow, such as --seeds [0,1,2] --base.train.device cuda. {EXECUTED}",
        allow_abbrev=False,
    )
    compare.add_argument("config", help="YAML file of base, arms, sizes and so on, or a name of `config list`")
    compare.add_argument("--out", type=folder, required=True, help="folder; the same command continues what is there")
    compare.add_argument("--dry-run", action="store_true", help="say what would be trained and what it costs, and stop")
    compare.add_argument("--retry", action="store_true", help="train cells again that have failed")
    storage = f"postgresql://... for the claims of many machines; default: the environment's {STORAGE}, or --out itself"
    add_worker_arguments(compare, storage)
    compare.set_defaults(call=_compare, overrides=[])


def _compare(options: argparse.Namespace) -> int:
    options.config = config_path(options.config)
    _check_keys(options.config, options.overrides)
    with uncollected():  # modules and thousands of cells
        from learnsym import workers
        from learnsym.comparison import Plan, read_comparison
        from learnsym.comparison.plan import keep
        from learnsym.comparison.rows import forget_failed

        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise ValueError("compare: got torchrun, must be started as plain processes; use --workers or --jobs")
        workers.follow_parent()
        cluster, storage = cluster_of(options), options.storage or os.environ.get(STORAGE)
        if storage is not None:
            workers.check_storage(storage)
        plan = Plan.kept(read_comparison(options.config, options.overrides), options.out)
        if options.dry_run:
            return _dry_run(plan, options.out)
    locks = workers.locks_for(storage, options.out, "compare")
    if not workers.is_worker():
        keep(plan, options.out, locks)
        if options.retry:
            forget_failed(options.out)
        _print_costs(plan, options.out)
    if works_itself(options):
        _work(plan, options.out, locks)
        return 0 if workers.is_worker() else _finish(plan, options.out, locks)
    arguments = ["compare", str(options.config), "--out", str(options.out), *options.overrides]
    ended = share_out(arguments, options, cluster, storage, options.out)
    return _finish(plan, options.out, locks) if ended else 0


def _check_keys(path: Path, overrides: Sequence[str]) -> None:
    """Refuse a file that is not read, and unknown keys, at once: what comparisons need takes seconds to import."""
    from learnsym._values import check_comparison_values

    content = read_yaml(path, "config")
    known = content if isinstance(content, dict) else {}
    check_comparison(known)
    for key in keys_in(overrides):
        section, _, name = key.partition(".")
        if section not in COMPARISON:
            raise ValueError(f"{key}: unknown key of a comparison; known keys are {', '.join(COMPARISON)}")
        if section == "base" and name:
            _check_base(name)
    check_once(overrides)
    check_comparison_values(known, overrides)


def _check_base(key: str) -> None:
    try:
        check_known([key])
    except ValueError as error:
        raise ValueError(f"base.{error}") from None


def _dry_run(plan: Plan, folder: Path) -> int:
    from learnsym.comparison.cost import seconds_per_step

    _print_costs(plan, folder, seconds_per_step(plan))
    return 0


def _print_costs(plan: Plan, folder: Path, seconds: Mapping[tuple[str, int], float] | None = None) -> None:
    from learnsym.comparison.cost import costs
    from learnsym.report.words import duration

    rows = costs(plan, folder, seconds)
    timed = ["time"] if seconds else []
    print_table(
        ["arm", "size", "width", "parameters", "FLOPs per example", "cells", "left", "FLOPs left", *timed],
        [
            [
                *(c.arm, str(c.size), str(c.width), str(c.parameters), f"{c.flops:.3g}", str(c.cells), str(c.left)),
                f"{c.compute:.3g}",
                *([duration(c.seconds)] if timed else []),
            ]
            for c in rows
        ],
    )
    total = f"{sum(c.left for c in rows)} of {len(plan.cells)} cells left, {sum(c.compute for c in rows):.3g} FLOPs"
    expected = f", about {duration(sum(c.seconds for c in rows))} in one process, evaluation aside" if seconds else ""
    print(f"{total}{expected}; networks are matched by {MATCHED[plan.config.match]}")


MATCHED = {"parameters": "parameters", "flops": "FLOPs of a training example", "none": "width"}


def _work(plan: Plan, folder: Path, locks: Locks) -> None:
    from tqdm.auto import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    from learnsym.comparison import work
    from learnsym.workers import is_first_worker

    logging.getLogger("learnsym.training").setLevel(logging.WARNING)  # of many trainings the bar says how far they are
    due = time.monotonic() + PAGE_EVERY
    shown = None if is_first_worker() else True
    with logging_redirect_tqdm(), tqdm(total=len(plan.cells), unit="cell", disable=shown, leave=False) as bar:

        def show(left: int) -> None:
            nonlocal due
            bar.update(len(plan.cells) - left - bar.n)
            began = time.monotonic()
            if left and is_first_worker() and began > due:
                _draw(folder, locks)
                due = time.monotonic() + max(PAGE_EVERY, PAGE_SHARE * (time.monotonic() - began))

        work(plan, folder, locks, show)


def _draw(folder: Path, locks: Locks) -> Path:
    """Write the table and the page of what has ended; one worker at a time."""
    from learnsym.comparison.table import write_table
    from learnsym.report.comparison import draw_comparison

    with locks.waiting("page"):
        write_table(folder, locks)
        return draw_comparison(folder)


def _finish(plan: Plan, folder: Path, locks: Locks) -> int:
    """Table and page; RuntimeError when cells are left, as when all workers have died."""
    from learnsym.comparison.table import read_table
    from learnsym.report.comparison import read_findings, recommendation

    page = _draw(folder, locks)
    rows = read_table(folder).to_dict("records")
    failed = [row for row in rows if row["state"] == "failed"]
    for row in failed:
        print("failed: {arm}, {train} examples, size {size}, seed {seed}: {failure}".format(**row))
    if len(failed) < len(rows):
        said = recommendation(read_findings(folder))
        print(f"{said.headline}. {said.detail}")
    print(f"table: {folder / 'table.parquet'}\npage: {page}")
    if (left := len(plan.cells) - len(rows)) > 0:
        raise RuntimeError(f"{left} of {len(plan.cells)} cells are left undone; the same command continues")
    return 1 if len(failed) == len(rows) else 0
