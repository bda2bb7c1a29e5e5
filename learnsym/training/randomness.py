"""Random numbers as a function of the step, and settings that are put back afterwards."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.utils.deterministic

from learnsym.training.config import TrainConfig

_memory: Any = torch.utils.deterministic


def seed_step(seed: int, step: int, device: torch.device) -> None:
    """Seed torch for one step, so that a resumed run draws what an uninterrupted one would have drawn."""
    number = int.from_bytes(hashlib.blake2b(f"{seed}/{step}".encode(), digest_size=8).digest(), "little")
    # torch.manual_seed also queues a call, with its stack, for each kind of device that is not in use
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(number)


@contextmanager
def own_randomness(device: torch.device) -> Iterator[None]:
    """The caller's random state comes back at the end."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


@contextmanager
def settings(train: TrainConfig) -> Iterator[None]:
    """Threads and deterministic kernels as configured; the caller's settings come back at the end."""
    saved_threads = torch.get_num_threads()
    if train.threads is not None:
        torch.set_num_threads(train.threads)
    try:
        with _deterministic() if train.deterministic else nullcontext():
            yield
    finally:
        torch.set_num_threads(saved_threads)


@contextmanager
def _deterministic() -> Iterator[None]:
    enabled = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = _memory.fill_uninitialized_memory
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    try:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        _memory.fill_uninitialized_memory = False
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        _memory.fill_uninitialized_memory = fill
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn
        if workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
