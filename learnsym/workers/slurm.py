"""The same command as jobs of a cluster, through submitit."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnsym.training.signals import Interrupted, stop_request

if TYPE_CHECKING:
    from submitit import Job
    from submitit.helpers import DelayedSubmission

logger = logging.getLogger(__name__)

LOOK = 1.0
REQUEUES = 1000
"""Times that a job may be put back when its time is over: work that is left is continued, not repeated."""
PATIENCE = 60.0
"""Seconds for the last checkpoint of a job that must go."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What each job asks of the cluster.

    Args:
        name: `slurm`, or `local` for jobs that are processes of this machine.
        jobs: how many.
        minutes: time of each; one that has not ended by then is stopped in good order and put back into the queue.
        gpus: on its node.
        cpus: on its node.
        memory: in GB; None for the cluster's default.
        partition: of the cluster; None for its default.
    """

    name: str = "slurm"
    jobs: int = 1
    minutes: int = 60
    gpus: int = 0
    cpus: int = 1
    memory: float | None = None
    partition: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("jobs", 1), ("minutes", 1), ("gpus", 0), ("cpus", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be at least {least}")
        if self.memory is not None and not self.memory > 0:
            raise ValueError(f"memory: got {self.memory}, must be > 0 GB; leave it out for the cluster's default")


class Command:
    """`learnsym ARGUMENTS` as a job, which is put back into the queue when it must go before its end."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> int:
        """Run the command; RuntimeError unless it ends well."""
        self._process = subprocess.Popen([sys.executable, "-m", "learnsym", *self.arguments])
        code = self._process.wait()
        if code:
            raise RuntimeError(f"learnsym {self.arguments[0]} ended with code {code}; its log says why")
        return code

    def checkpoint(self) -> DelayedSubmission:
        """What submitit asks for before it puts the job back: the same command, which continues what is left."""
        from submitit.helpers import DelayedSubmission

        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                logger.warning("the command did not stop in %g s; the last checkpoint counts", PATIENCE)
        return DelayedSubmission(Command(self.arguments))

    def __getstate__(self) -> dict[str, Any]:
        return {"arguments": self.arguments, "_process": None}


def submit(arguments: Sequence[str], cluster: Cluster, folder: Path) -> list[Job[int]]:
    """Submit `learnsym ARGUMENTS` several times.

    Args:
        arguments: of the command.
        cluster: what each job asks for.
        folder: for the logs of the jobs; all machines must see it.

    Raises:
        ValueError: when submitit is not installed, or there is no such cluster here.
    """
    try:
        import submitit
    except ImportError as error:
        raise ValueError("cluster: jobs need submitit; install learnsym[scale]") from error
    try:
        executor = submitit.AutoExecutor(folder, cluster=cluster.name, slurm_max_num_timeout=REQUEUES)
        executor.update_parameters(
            name=f"learnsym-{arguments[0]}",
            timeout_min=cluster.minutes,
            gpus_per_node=cluster.gpus,
            cpus_per_task=cluster.cpus,
            mem_gb=cluster.memory,
            slurm_partition=cluster.partition,
        )
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"cluster: {cluster.name} cannot be used here ({error}); submit where sbatch runs, or use --workers"
        ) from error
    jobs = [executor.submit(Command(arguments)) for _ in range(cluster.jobs)]
    logger.info("submitted %s; logs are in %s", ", ".join(job.job_id for job in jobs), folder)
    return jobs


def wait(jobs: Sequence[Job[Any]]) -> dict[str, str]:
    """Wait for jobs; returns why some did not end well, by job.

    Raises:
        Interrupted: on a signal; the jobs go on.
    """
    left = list(jobs)
    with stop_request() as stop:
        while left:
            if stop.number:
                named = ", ".join(job.job_id for job in left)
                raise Interrupted(stop.number, f"no longer waiting; the jobs {named} go on")
            left = [job for job in left if not job.done()]
            time.sleep(LOOK if left else 0.0)
    errors = {job.job_id: job.exception() for job in jobs}
    return {name: _reason(str(error)) for name, error in errors.items() if error is not None}


def _reason(report: str) -> str:
    """The error at the end of a traceback, to which submitit adds where the logs are."""
    errors = re.findall(r"^\w+(?:\.\w+)*(?:Error|Exception|Interrupt): (.+)$", report, re.MULTILINE)
    return errors[-1] if errors else report.strip().splitlines()[0]
