"""All members of a configuration, one after another or side by side."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from pathlib import Path

import torch
from tqdm.auto import tqdm

from learnsym.files import check_folder
from learnsym.training import distributed
from learnsym.training.build import members
from learnsym.training.config import RunConfig
from learnsym.training.member import train_member
from learnsym.training.run import Run
from learnsym.training.signals import Interrupted, stop_request
from learnsym.training.worker import begin_worker

logger = logging.getLogger(__name__)

_stopped: Event | None = None
"""In a worker: whether no further member shall be started."""


class MembersFailed(RuntimeError):
    """Some members could not be trained; the others are finished. `errors` says why, by member."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        reasons = "; ".join(f"{name}: {error or type(error).__name__}" for name, error in errors.items())
        super().__init__(f"{len(errors)} of the members failed ({reasons}); the same command trains what is missing")
        self.errors = errors


def train(config: RunConfig, out: str | os.PathLike[str]) -> list[Run]:
    """Train every twin with every seed; what is there is continued, and skipped when finished.

    Args:
        config: with `twins`, `seeds` and `train.workers`.
        out: the run folder; the folder of the run folders when there are several members.

    Returns:
        One run per member.

    Raises:
        ValueError: bad configuration, or a folder of another one.
        MembersFailed: some of several members failed, after the others were trained.
        Interrupted: a signal asked to stop; the same call continues.
    """
    check_folder(out)
    todo = members(config, out)
    device = distributed.pick_device(config.train.device)
    with distributed.session(device):
        if len(todo) == 1:
            return [train_member(*todo[0])]
        _check(config, out, device)
        if config.train.workers > 1:
            return _side_by_side(todo, config.train.workers)
        return _in_turn(todo)


def _in_turn(todo: list[tuple[RunConfig, Path]]) -> list[Run]:
    runs, errors = [], {}
    for member, path in todo:
        logger.info("training %s", path)
        try:
            runs.append(train_member(member, path))
        except (ValueError, Interrupted):  # true of the other members too
            raise
        except Exception as error:
            if distributed.world() > 1:  # the other processes may not have failed
                raise
            logger.error("%s: %s", path.name, error)
            errors[path.name] = error
    if errors:
        raise MembersFailed(errors)
    return runs


def _check(config: RunConfig, out: str | os.PathLike[str], device: torch.device) -> None:
    if (Path(out) / "config.yaml").exists():
        raise ValueError(f"out: {out} is the run of a single member, this configuration has several; name another")
    if config.train.workers > 1 and distributed.world() > 1:
        raise ValueError(
            f"train.workers: got {config.train.workers}, must be 1 under torchrun, which has its own processes"
        )
    if config.train.workers > 1 and device.type == "cuda":
        logger.warning("train.workers: %d processes share one GPU", config.train.workers)


def _side_by_side(todo: list[tuple[RunConfig, Path]], workers: int) -> list[Run]:
    missing = [(member, path) for member, path in todo if not _is_finished(member, path)]
    if not missing:
        return [Run(path) for _, path in todo]
    context = multiprocessing.get_context("spawn")
    stopped = context.Event()
    errors: dict[str, Exception] = {}
    pool = ProcessPoolExecutor(min(workers, len(missing)), context, initializer=_begin, initargs=(stopped,))
    with stop_request() as stop, pool:
        futures = {pool.submit(_member, member, path): path for member, path in missing}
        stop.forward = lambda _: _stop(stopped, futures)
        for future in tqdm(as_completed(futures), total=len(futures), unit="run", disable=None, leave=False):
            error = _error(future)
            if error is None:
                logger.info("%s is finished", futures[future])
            elif not stop.number:
                errors[futures[future].name] = error
                logger.error("%s: %s", futures[future].name, error)
    if stop.number:
        folder = todo[0][1].parent
        raise Interrupted(stop.number, f"stopped by signal {stop.number}; the same command continues {folder}")
    if errors:
        raise MembersFailed(errors)
    return [Run(path) for _, path in todo]


def _is_finished(config: RunConfig, path: Path) -> bool:
    return (path / "config.yaml").exists() and Run.create(path, config).is_finished


def _stop(stopped: Event, futures: dict[Future[None], Path]) -> None:
    """Start no further member, and tell the running ones."""
    stopped.set()
    for future in futures:
        future.cancel()
    for child in multiprocessing.active_children():
        os.kill(child.pid or 0, signal.SIGTERM)


def _error(future: Future[None]) -> Exception | None:
    if future.cancelled():
        return Interrupted(signal.SIGTERM, "not started")
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        return RuntimeError("a process died before this member was finished (killed, or out of memory)")
    return error if isinstance(error, Exception) else None


def _member(config: RunConfig, path: Path) -> None:
    if _stopped is not None and _stopped.is_set():
        raise Interrupted(signal.SIGTERM, "not started")
    train_member(config, path)


def _begin(stopped: Event) -> None:
    global _stopped
    _stopped = stopped
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one tells the others
    begin_worker()
