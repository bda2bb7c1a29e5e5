"""The arguments of commands that can run as jobs of a cluster."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from learnsym.workers import Cluster

STORAGE = "LEARNSYM_STORAGE"
"""The environment variable that names a storage, so that its password shows in no list of processes."""


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
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
