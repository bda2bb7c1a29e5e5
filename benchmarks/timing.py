"""Interleaved timing: two ways of doing one thing, measured in turn, so that drift of the machine hits both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch.utils.flop_counter import FlopCounterMode


def interleaved(
    functions: Mapping[str, Callable[[], object]],
    *,
    repeats: int = 15,
    warmup: int = 3,
    device: str = "cpu",
    threads: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of one call of each function, called in turn `repeats` times after `warmup` unmeasured rounds.

    `clock=time.process_time` is time of the processor, for long calls on a CPU that others use, too.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    with _threads(threads):
        for round_ in range(warmup + repeats):
            for name in _order(list(functions), round_):
                elapsed = _once(functions[name], device, clock)
                if round_ >= warmup:
                    seconds[name].append(elapsed)
    return {name: statistics.median(values) for name, values in seconds.items()}


def clock_of(device: str) -> Callable[[], float]:
    """Time of the processor on a CPU, which others may use, too; that of the wall elsewhere."""
    return time.process_time if device == "cpu" else time.perf_counter


def ratio(times: Mapping[str, float], a: str, b: str) -> float:
    """Time of `a` in units of the time of `b`."""
    return times[a] / times[b]


def operations(function: Callable[[], object]) -> int:
    """Floating-point operations of products and convolutions in one call, backward passes included."""
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def for_each(count: float, found: float) -> str:
    """A note: what a ratio of times is for each operation, where the sides differ by a factor in their count."""
    return f"{count:.2f} x the counted operations, {found / count:.2f} of the time for each"


def _order(names: list[str], round_: int) -> list[str]:
    """Every second round backwards: no function always follows the same one."""
    return names if round_ % 2 == 0 else names[::-1]


def _once(function: Callable[[], object], device: str, clock: Callable[[], float]) -> float:
    _synchronise(device)
    start = clock()
    function()
    _synchronise(device)
    return clock() - start


def _synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
