"""learnsym tune."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym._keys import check_known, keys_in
from learnsym.cli._cluster import STORAGE, add_worker_arguments, cluster_of, share_out, works_itself
from learnsym.cli._parser import EXECUTED, folder, print_table, whole
from learnsym.cli.train import checked_config
from learnsym.files import check_folder

if TYPE_CHECKING:
    from learnsym.tuning import TuningStudy


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    tune = commands.add_parser(
        "tune",
        help="search a space of configurations: tune.html, trials.csv, best/",
        epilog=f"Keys of the configuration may follow, such as --train.steps 100. {EXECUTED}",
        allow_abbrev=False,
    )
    tune.add_argument("config", help="YAML file or packed name, as for learnsym train")
    tune.add_argument("--study", required=True, metavar="NAME", help="study to begin or to join")
    tune.add_argument("--trials", required=True, type=whole(1, 10**6), metavar="N", help="trials, over all workers")
    tune.add_argument("--space", type=Path, metavar="FILE", help="search space; CONFIG.space.yaml by default")
    tune.add_argument(
        "--out", type=folder, metavar="DIR", help="folder of runs and tables; the study's name by default"
    )
    tune.add_argument("--retry", action="store_true", help="train the values of failed trials again, as new trials")
    storage = f"postgresql://..., or a file for one machine; default: the environment's {STORAGE}, or a file in --out"
    add_worker_arguments(tune, storage)
    tune.set_defaults(call=_tune, overrides=[])


def _tune(options: argparse.Namespace) -> int:
    check_known(keys_in(options.overrides))
    options.config, _ = checked_config(options.config, options.overrides)
    from learnsym import tuning, workers

    _check(options)
    workers.follow_parent()
    out = options.out or check_folder(options.study, "study")
    storage = options.storage or os.environ.get(STORAGE) or str(out / "study.journal")
    cluster = cluster_of(options)
    study = _opened(options, storage, out)
    if options.retry and not workers.is_worker() and int(os.environ.get("RANK", "0")) == 0:
        tuning.prepare(study, options.trials, out)
        print(f"{tuning.retry_failed(study)} failed trials are queued again")
    if works_itself(options):
        with _progress(study, options.trials) as ended:
            tuning.tune(study, options.trials, out, ended=ended)
        return 0 if workers.is_worker() or int(os.environ.get("RANK", "0")) else _say(study, out)
    tuning.prepare(study, options.trials, out)
    ended = share_out(_arguments(options, out), options, cluster, storage, out)
    return _finish(study, options.trials, out) if ended else 0


def _check(options: argparse.Namespace) -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and (options.workers > 1 or options.jobs):
        raise ValueError("workers: torchrun has processes of its own; leave --workers and --jobs out")


def _opened(options: argparse.Namespace, storage: str, out: Path) -> TuningStudy:
    from learnsym.training import read_config
    from learnsym.tuning import open_study, read_space, space_path
    from learnsym.workers import check_storage, locks_for

    logging.getLogger("learnsym.training").setLevel(logging.WARNING)  # trials say more
    check_storage(storage)
    config = read_config(options.config, options.overrides)
    space = read_space(options.space or space_path(options.config), config)
    return open_study(options.study, storage, config, space, locks_for(storage, out, options.study))


def _arguments(options: argparse.Namespace, out: Path) -> list[str]:
    """The command of one worker; the storage is in its environment."""
    arguments = [
        "tune",
        str(options.config),
        "--study",
        options.study,
        "--trials",
        str(options.trials),
        "--out",
        str(out),
    ]
    if options.space is not None:
        arguments += ["--space", str(options.space)]
    return [*arguments, *options.overrides]


@contextmanager
def _progress(study: TuningStudy, total: int) -> Iterator[Callable[[int], None]]:
    """A bar over ended trials with the best score so far, on the first worker."""
    from tqdm.auto import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    from learnsym.tuning import best_so_far
    from learnsym.workers import is_first_worker

    disable = None if is_first_worker() else True
    with logging_redirect_tqdm(), tqdm(total=total, unit="trial", disable=disable) as bar:

        def ended(count: int) -> None:
            if count > bar.n:
                bar.set_postfix_str(best_so_far(study), refresh=False)
            bar.update(count - bar.n)

        yield ended


def _finish(study: TuningStudy, total: int, out: Path) -> int:
    """After all workers have ended: the results, if no work is left."""
    from learnsym.tuning import write_results

    left = total - sum(trial.state.is_finished() for trial in study.trials())
    if left > 0:
        raise RuntimeError(f"{left} of {total} trials are left undone; the same command continues the study")
    write_results(study, out)
    return _say(study, out)


def _say(study: TuningStudy, out: Path) -> int:
    from learnsym.report.tuning import draw_tuning
    from learnsym.tuning import table

    print_table(*table(study))
    trials = study.trials()
    count = {state: sum(trial.state.name == state for trial in trials) for state in ("COMPLETE", "PRUNED", "FAIL")}
    print(f"{count['COMPLETE']} trials complete, {count['PRUNED']} pruned, {count['FAIL']} failed")
    for trial in trials:
        if trial.state.name == "FAIL":
            print(f"failed: trial {trial.number}: {trial.user_attrs.get('failure', 'no reason was kept')}")
    if count["COMPLETE"]:
        print(f"best: {out / 'best'}")
    print(f"page: {draw_tuning(study, out)}")
    return 0 if count["COMPLETE"] else 1
