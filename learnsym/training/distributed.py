"""Data-parallel processes started by `torchrun`: who this one is, and the little that they tell each other."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from learnsym.training.sendable import sendable
from learnsym.training.signals import stop_request

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that another process has to say why it ends."""


class RankLost(RuntimeError):
    """Another process of a data-parallel training ended before its time; the message says which rank, and why."""


def rank() -> int:
    """Rank of this process; 0 outside of `torchrun`."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """Number of processes; 1 outside of `torchrun`."""
    return dist.get_world_size() if dist.is_initialized() else 1


def check_sharded() -> None:
    """Refuse shards of a single process.

    Raises:
        ValueError: outside of `torchrun`.
    """
    if world() == 1:
        raise ValueError(
            "train.sharded: got true with one process, which has nobody to share with; start it under torchrun, or "
            "leave it out"
        )


@contextmanager
def session(device: torch.device) -> Iterator[None]:
    """Join the process group that `torchrun` describes in the environment, and leave it at the end.

    Outside of `torchrun`, and where a group exists already, nothing happens.

    Raises:
        RankLost: another process ended before this one was done with it.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store = _join("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        dist.barrier()  # nobody leaves while another still talks to it
    except Exception as error:
        own = "" if _is_of_another(error) else f"{type(error).__name__}: {' '.join(str(error).split())}"
        with stop_request():  # `torchrun` ends the others as soon as one has ended
            ended = _ended(store, own)
        if own:
            raise
        raise RankLost(
            f"rank {rank()} stops, since {ended}; the same command continues from the last checkpoint"
        ) from error
    finally:
        dist.destroy_process_group()


def _is_of_another(error: Exception) -> bool:
    """Whether an error says that another process no longer answers."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error).lower())


def _ended(store: dist.Store, own: str) -> str:
    """Tell the others why this process ends, empty when it is another's fault; returns which others ended, and why."""
    reasons = {}
    try:
        store.set(f"ended {rank()}", own)
        for other in range(0 if own else world()):
            reasons[other] = _reason(store, other)
    except dist.DistError:  # the process that keeps the store has ended
        return "another rank has ended"
    named = [f"rank {other} has ended ({reason})" for other, reason in reasons.items() if reason]
    return " and ".join(named) or "another rank does not answer"


def _reason(store: dist.Store, other: int) -> str:
    end = time.monotonic() + PATIENCE
    while not store.check([f"ended {other}"]):
        if time.monotonic() > end:
            return "killed, or out of memory"
        time.sleep(0.05)
    return store.get(f"ended {other}").decode()


def _join(backend: str) -> dist.Store:
    """Meet the other processes, not what a killed attempt has left: `torchrun` keeps its store over restarts."""
    store, number, size = next(dist.rendezvous("env://"))
    store = dist.PrefixStore(_agreed(store, number, size), store)
    dist.init_process_group(backend, store=store, rank=number, world_size=size)
    return store


def _agreed(store: dist.Store, number: int, size: int) -> str:
    """A name of this attempt that all its processes have, and none that has died before.

    Machines count restarts each on its own, so that the processes ask each other: each says that it is here, under a
    name that nobody had before; the first answers all that are here with the name of the attempt, until all have said
    that they have read it. What dead ones have left in the store is answered, too, and never read.

    Raises:
        RankLost: another process did not come within the patience of a process group.
    """
    own, end = uuid.uuid4().hex, time.monotonic() + dist.default_pg_timeout.total_seconds()
    if number:
        store.set(f"here {number}", own)
        _waited(lambda: store.check([f"attempt of {own}"]), end, "rank 0")
        attempt = store.get(f"attempt of {own}").decode()
        store.set(f"{attempt} read by {number}", "")
        return attempt
    for other in range(1, size):
        _waited(lambda: _has_read(store, own, other), end, f"rank {other}")  # noqa: B023  called at once
    return own


def _has_read(store: dist.Store, attempt: str, other: int) -> bool:
    """Answer whoever is here as another rank; returns whether it has read an answer."""
    if store.check([f"here {other}"]):
        store.set(f"attempt of {store.get(f'here {other}').decode()}", attempt)
    return store.check([f"{attempt} read by {other}"])


def _waited(come: Callable[[], bool], end: float, who: str) -> None:
    while not come():
        if time.monotonic() > end:
            raise RankLost(f"{who} does not come; start it, and give the same command again")
        time.sleep(0.05)


def pick_device(name: str) -> torch.device:
    """The device that a configuration names; under `torchrun` each process takes the GPU of its local rank.

    Raises:
        ValueError: when the name is unknown or the machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"train.device: got {name!r}, must be cpu, cuda or auto") from error
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"train.device: got {name!r}, must be cpu, cuda or auto")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ValueError(f"train.device: got {name!r}, this machine has {count} GPUs; use cpu or auto")
    return device


def from_first(make: Callable[[], T]) -> T:
    """What a function gives, or raises, on rank 0, on every rank."""
    if world() == 1:
        return make()
    value, error = _tried(make) if rank() == 0 else (None, None)
    box: list[Any] = [(value, error)]
    dist.broadcast_object_list(box)
    value, error = (value, error) if rank() == 0 else box[0]
    if error is not None:
        raise error
    return value  # pyright: ignore[reportReturnType]


def _tried(make: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return make(), None
    except Exception as error:
        return None, sendable(error)
