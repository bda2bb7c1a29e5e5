"""Commands that share their work: with processes of this machine, or as jobs of a cluster."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym.cli._parser import positive, whole

if TYPE_CHECKING:
    from learnsym.workers import Cluster

STORAGE = "LEARNSYM_STORAGE"
"""The environment variable that names a storage, so that its password shows in no list of processes."""


def add_worker_arguments(parser: argparse.ArgumentParser, storage: str) -> None:
    """Declare what they all take.

    Args:
        parser: of the command.
        storage: what `--storage` may be.
    """
    parser.add_argument("--workers", type=whole(1, 1024), default=1, metavar="K", help="processes on this machine")
    parser.add_argument("--storage", metavar="URL", help=storage)
    group = parser.add_argument_group("cluster", "the same command as jobs, through submitit")
    group.add_argument("--jobs", type=whole(0, 10_000), default=0, metavar="J", help="jobs to submit; 0 for none")
    group.add_argument("--cluster", choices=("slurm", "local"), help="slurm by default; local: processes, to try it")
    group.add_argument(
        "--minutes", type=whole(1, 10**6), help="time of a job, after which it is put back; 60 by default"
    )
    group.add_argument("--gpus", type=whole(0, 1024), help="of each job")
    group.add_argument("--cpus", type=whole(1, 1024), help="of each job; 1 by default")
    group.add_argument("--memory", type=positive, metavar="GB", help="of each job")
    group.add_argument("--partition", help="of the cluster")
    group.add_argument("--detach", action="store_true", default=None, help="do not wait for the jobs")


def cluster_of(options: argparse.Namespace) -> Cluster | None:
    """What the jobs ask for; None when there are to be none.

    Raises:
        ValueError: for what only jobs have, without any.
    """
    from learnsym.workers import Cluster

    asked = ("minutes", "gpus", "cpus", "memory", "partition")
    given = {name: value for name in (*asked, "cluster", "detach") if (value := getattr(options, name)) is not None}
    if options.jobs:
        of_jobs = {name: value for name, value in given.items() if name in asked}
        return Cluster(name=options.cluster or "slurm", jobs=options.jobs, **of_jobs)
    for name, value in given.items():
        raise ValueError(f"{name}: got {value} without --jobs, which alone has use for it; say --jobs N")
    return None


def works_itself(options: argparse.Namespace) -> bool:
    """Whether this process does the work: a worker, or a command that asks for no others."""
    from learnsym.workers import is_worker

    return is_worker() or (options.workers == 1 and not options.jobs)


def share_out(
    arguments: Sequence[str], options: argparse.Namespace, cluster: Cluster | None, storage: str | None, folder: Path
) -> bool:
    """Run `learnsym ARGUMENTS` in other processes; returns whether they have ended, False when jobs go on alone."""
    from learnsym import workers

    environment = {} if storage is None else {STORAGE: storage}
    if cluster is None:
        workers.run_workers(arguments, options.workers, environment)
        return True
    os.environ |= environment  # jobs have the environment of the command that submits them
    jobs = workers.submit([*arguments, "--workers", str(options.workers)], cluster, folder / "jobs")
    if options.detach:
        print(f"jobs: {', '.join(job.job_id for job in jobs)}")
        return False
    workers.wait(jobs)
    return True
