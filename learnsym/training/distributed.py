"""Data-parallel processes started by `torchrun`: who this one is, and the little that they tell each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from learnsym.training.sendable import sendable

T = TypeVar("T")


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
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    _join("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        dist.barrier()  # nobody leaves while another still talks to it
    finally:
        dist.destroy_process_group()


def _join(backend: str) -> None:
    """Meet the other processes, not what a killed attempt has left: `torchrun` keeps its store over restarts."""
    store, number, size = next(dist.rendezvous("env://"))
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":  # machines count restarts each on its own
        store = dist.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    dist.init_process_group(backend, store=store, rank=number, world_size=size)


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
