"""All members of a configuration, one after another or side by side."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from learnsym.files import check_folder
from learnsym.training import distributed
from learnsym.training.build import members
from learnsym.training.config import RunConfig
from learnsym.training.lock import locked
from learnsym.training.member import note_failure, train_member
from learnsym.training.pool import train_in_processes
from learnsym.training.run import Run
from learnsym.training.sendable import reason
from learnsym.training.signals import Interrupted

logger = logging.getLogger(__name__)


class MembersFailed(RuntimeError):
    """Some members could not be trained; the others are finished. `errors` says why, by member."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        reasons = "; ".join(f"{name}: {reason(error)}" for name, error in self.errors.items())
        return f"{len(self.errors)} of the members failed ({reasons}); the same command trains what is missing"


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
    with distributed.session(device), ExitStack() as stack:
        if len(todo) == 1:
            return [train_member(*todo[0])]
        _check(config, out, device)
        distributed.from_first(lambda: stack.enter_context(_folder(Path(out))))
        errors = train_in_processes(todo, config.train.workers) if config.train.workers > 1 else _in_turn(todo)
        if errors:
            raise _failed(errors, len(todo))
        return [Run(path) for _, path in todo]


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """Hold the folder of several runs, so that a second command does not train half of them."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: {out} is a file; name a folder")
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        yield


def _in_turn(todo: list[tuple[RunConfig, Path]]) -> dict[str, Exception]:
    """Train one member after another; what went wrong, by member."""
    errors = {}
    for member, path in todo:
        logger.info("training %s", path)
        try:
            train_member(member, path)
        except Interrupted:
            raise
        except Exception as error:
            if distributed.world() > 1:  # the other processes may not have failed
                raise
            errors[path.name] = note_failure(path, error)
    return errors


def _failed(errors: dict[str, Exception], count: int) -> Exception:
    """One error for all: bad input of which all members say the same is that of the command."""
    first = next(iter(errors.values()))
    alike = {str(error) for error in errors.values() if isinstance(error, ValueError)}
    return first if len(errors) == count and alike == {str(first)} else MembersFailed(errors)


def _check(config: RunConfig, out: str | os.PathLike[str], device: torch.device) -> None:
    if (Path(out) / "config.yaml").exists():
        raise ValueError(f"out: {out} is the run of a single member, this configuration has several; name another")
    if config.train.workers > 1 and distributed.world() > 1:
        raise ValueError(
            f"train.workers: got {config.train.workers}, must be 1 under torchrun, which has its own processes"
        )
    if config.train.workers > 1 and device.type == "cuda":
        logger.warning("train.workers: %d processes share one GPU", config.train.workers)
