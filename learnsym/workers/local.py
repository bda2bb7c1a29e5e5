"""The same command in several processes on this machine."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from learnsym.training.signals import Interrupted, stop_request

logger = logging.getLogger(__name__)

WORKER = "LEARNSYM_WORKER"
"""In the environment of a worker: its number, from 0."""
PARENT = "LEARNSYM_PARENT"
"""In the environment of a worker: the process that it ends with."""
LOOK = 0.1


def run_workers(arguments: Sequence[str], count: int, environment: Mapping[str, str] | None = None) -> list[int]:
    """Run `learnsym ARGUMENTS` in several processes with one thread each, and wait until all have ended.

    A worker that dies is reported, and the others go on; SIGTERM and SIGINT are passed on to all. With several GPUs,
    worker k sees GPU k modulo their number.

    Args:
        arguments: of the command.
        count: processes.
        environment: variables that the workers have beside those of this process.

    Returns:
        The exit codes, negative for the number of a signal.

    Raises:
        ValueError: when there is no worker to start.
        Interrupted: on a signal, after all have ended.

    Example:
        >>> from learnsym.workers import run_workers
        >>> run_workers(["data", "list", "--help"], 1)
        [0]
    """
    if count < 1:
        raise ValueError(f"workers: got {count}, must be at least 1")
    shared = {**os.environ, "OMP_NUM_THREADS": "1", PARENT: str(os.getpid()), **(environment or {})}
    with stop_request() as stop:
        command = [sys.executable, "-m", "learnsym", *arguments]
        # in a session of their own, or Ctrl-C would reach them twice
        workers = [
            subprocess.Popen(command, env={**shared, **_own(k)}, stdin=subprocess.DEVNULL, start_new_session=True)
            for k in range(count)
        ]
        stop.forward = lambda number: _tell(workers, number)
        _wait(workers, lambda: bool(stop.number))
    if stop.number:
        raise Interrupted(stop.number, f"stopped by signal {stop.number}; the same command continues")
    return [worker.returncode for worker in workers]


def is_worker() -> bool:
    """Whether this process was started by `run_workers`."""
    return WORKER in os.environ


def is_first_worker() -> bool:
    """Whether this process shows how far the work is: a worker that no other stands before."""
    return os.environ.get(WORKER, "0") == "0" and os.environ.get("RANK", "0") == "0"


def follow_parent() -> None:
    """In a worker: stop in good order when the process that started it is gone."""
    if PARENT in os.environ:
        threading.Thread(target=_follow, args=(int(os.environ[PARENT]),), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


def _own(worker: int) -> dict[str, str]:
    import torch

    own = {WORKER: str(worker)}
    if (gpus := torch.cuda.device_count()) > 1:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
        own["CUDA_VISIBLE_DEVICES"] = visible[worker % len(visible)]
    return own


def _tell(workers: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    for worker in workers:
        if worker.poll() is None and os.name == "posix":
            worker.send_signal(number)
        elif worker.poll() is None:  # Windows can only end a process; its work goes on from the last checkpoint
            worker.terminate()


def _wait(workers: Sequence[subprocess.Popen[bytes]], stopped: Callable[[], bool]) -> None:
    left = dict(enumerate(workers))
    while left:
        for k in [k for k, worker in left.items() if worker.poll() is not None]:
            code = left.pop(k).returncode
            if code and not stopped():
                how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
                logger.error("worker %d %s%s", k, how, f"; {len(left)} go on" if left else "")
        time.sleep(LOOK)
