"""Counting what a computation does, so that its growth is known without a clock."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Counts:
    """What one computation has done."""

    work: int
    """Elements that operations of tensors read and wrote, and FLOPs of products."""
    operations: int
    """Operations of tensors; views are none."""
    calls: int
    """Calls of functions in Python and C, those of the counting of each operation included."""


class Operations(TorchDispatchMode):
    """Counts operations of tensors, and the elements that they read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.count = self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.count += 1
            self.elements += sum(t.numel() for t in tree_leaves((args, kwargs, out)) if isinstance(t, torch.Tensor))
        return out


def counted(work: Callable[[], object]) -> Counts:
    """What a call does, the second time: what is made once and kept is not counted."""
    work()
    operations, flops, calls = Operations(), FlopCounterMode(display=False), 0

    def seen(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    with flops, operations:
        sys.setprofile(seen)
        try:
            work()
        finally:
            sys.setprofile(before)
    return Counts(operations.elements + flops.get_total_flops(), operations.count, calls)


def growth(few: tuple[int, int], costs: tuple[int, int]) -> float:
    """The exponent between two sizes."""
    return math.log(costs[1] / costs[0]) / math.log(few[1] / few[0])
