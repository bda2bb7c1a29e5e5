"""Commands that share their work: with processes of this machine, or as jobs of a cluster."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
    parser.add_argument("--workers", type=int, default=1, metavar="K", help="processes on this machine")
    parser.add_argument("--storage", metavar="URL", help=storage)
    group = parser.add_argument_group("cluster", "the same command as jobs, through submitit")
    group.add_argument("--jobs", type=int, default=0, metavar="J", help="jobs to submit; 0 for none")
    group.add_argument("--cluster", choices=("slurm", "local"), default="slurm", help="local: processes, to try it")
    group.add_argument("--minutes", type=int, default=60, help="time of a job, after which it is put back")
    group.add_argument("--gpus", type=int, default=0, help="of each job")
    group.add_argument("--cpus", type=int, default=1, help="of each job")
    group.add_argument("--memory", type=float, metavar="GB", help="of each job")
    group.add_argument("--partition", help="of the cluster")
    group.add_argument("--detach", action="store_true", help="do not wait for the jobs")


def cluster_of(options: argparse.Namespace) -> Cluster | None:
    """What the jobs ask for; None when there are to be none."""
    from learnsym.workers import Cluster

    if not options.jobs:
        return None
    names = ("jobs", "minutes", "gpus", "cpus", "memory", "partition")
    return Cluster(name=options.cluster, **{name: getattr(options, name) for name in names})


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
