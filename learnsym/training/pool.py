"""Members side by side, each process training one after another; one that dies takes its own member with it alone."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import SimpleQueue

from tqdm.auto import tqdm

from learnsym.training.config import RunConfig
from learnsym.training.member import note_failure, train_member
from learnsym.training.run import Run
from learnsym.training.sendable import sendable
from learnsym.training.signals import Interrupted, stop_request
from learnsym.training.worker import begin_worker

logger = logging.getLogger(__name__)

_stopped: Event | None = None
"""In a worker: whether no further member shall be started."""


class _Process:
    """A process that trains members one after another; another one takes its place when it dies."""

    def __init__(self, stopped: Event) -> None:
        self.stopped = stopped
        self.pool = self._begun()

    def train(self, member: RunConfig, path: Path) -> Exception | None:
        """What went wrong, None when the member is finished."""
        if self.stopped.is_set():
            return Interrupted(signal.SIGTERM, "not started")
        try:
            return self.pool.submit(_member, member, path).result()
        except BrokenProcessPool:
            self.pool.shutdown()
            self.pool = self._begun()
            return RuntimeError("the process died before this member was finished (killed, or out of memory)")

    def _begun(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, context, initializer=_begin, initargs=(self.stopped,))


def train_in_processes(todo: Sequence[tuple[RunConfig, Path]], workers: int) -> dict[str, Exception]:
    """Train members in several processes; what went wrong, by member.

    Args:
        todo: configurations and run folders; members that are finished are left out.
        workers: number of processes.

    Raises:
        Interrupted: a signal asked to stop; the same call continues.
    """
    missing = [(member, path) for member, path in todo if not _is_finished(member, path)]
    stopped = multiprocessing.get_context("spawn").Event()
    errors: dict[str, Exception] = {}
    count = max(1, min(workers, len(missing)))
    with stop_request() as stop, _processes(count, stopped) as train, ThreadPoolExecutor(count) as threads:
        stop.forward = lambda _: _stop(stopped)
        futures = {threads.submit(train, member, path): path for member, path in missing}
        for future in tqdm(as_completed(futures), total=len(futures), unit="run", disable=None, leave=False):
            error, path = future.result(), futures[future]
            if error is None:
                logger.info("%s is finished", path)
            elif not stop.number:
                errors[path.name] = note_failure(path, error)
    if stop.number:
        folder = todo[0][1].parent
        raise Interrupted(stop.number, f"stopped by signal {stop.number}; the same command continues {folder}")
    return {path.name: errors[path.name] for _, path in todo if path.name in errors}


@contextmanager
def _processes(count: int, stopped: Event) -> Iterator[Callable[[RunConfig, Path], Exception | None]]:
    """A function that trains a member in a process that is free; for as many threads as there are processes."""
    processes = [_Process(stopped) for _ in range(count)]
    free: SimpleQueue[_Process] = SimpleQueue()
    for process in processes:
        free.put(process)

    def train(member: RunConfig, path: Path) -> Exception | None:
        process = free.get()
        try:
            return process.train(member, path)
        finally:
            free.put(process)

    try:
        yield train
    finally:
        for process in processes:
            process.pool.shutdown()


def _is_finished(config: RunConfig, path: Path) -> bool:
    return (path / "config.yaml").exists() and Run.create(path, config).is_finished


def _stop(stopped: Event) -> None:
    """Start no further member, and tell the running ones."""
    stopped.set()
    for child in multiprocessing.active_children():
        os.kill(child.pid or 0, signal.SIGTERM)


def _member(config: RunConfig, path: Path) -> Exception | None:
    """In a worker: train one member; what went wrong is returned, since not every exception can be raised elsewhere."""
    if _stopped is not None and _stopped.is_set():
        return Interrupted(signal.SIGTERM, "not started")
    try:
        train_member(config, path)
    except BaseException as error:
        return sendable(error)
    return None


def _begin(stopped: Event) -> None:
    global _stopped
    _stopped = stopped
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one tells the others
    begin_worker()
