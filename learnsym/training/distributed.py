"""Data-parallel processes started by `torchrun`: who this one is, and the little that they tell each other."""

from __future__ import annotations

import os
import time
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
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":  # machines count restarts each on its own
        store = dist.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    dist.init_process_group(backend, store=store, rank=number, world_size=size)
    return store


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
