"""Whether a model answers the same for the same example: on another call, and beside other examples.

Legend of axes: `B` examples of a batch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from learnsym.measure._probe import as_numbers
from learnsym.parts import Whole, chosen, device_of, examples

EXAMPLES = 4
"""How many are looked at: enough for their random choices to differ, few enough to cost nothing."""
ROUNDING = 16
"""Units in the last place of the largest output within which outputs are equal."""
PART = 1e-3
"""Part of the distance between outputs of different examples within which outputs are equal."""


def depends_on_mates(read: Callable[[Whole], Tensor], x: Whole, most: int) -> bool:
    """Whether outputs depend on the other examples of a batch; warns of this, and of random outputs.

    Args:
        read: the outputs of one batch; a model that takes no such batch is not looked at.
        x: examples; a few of them are read twice.
        most: examples that may be read at a time.
    """
    count, device = examples(x), device_of(x)
    some = torch.linspace(0, count - 1, min(count, EXAMPLES, most), device=device).round().long()
    # 0, 0, 1, 1: a batch of the same size with other mates
    source = torch.arange(len(some), device=device) // 2
    try:
        first, mixed = read(chosen(x, some)), read(chosen(x, some[source]))
    except Exception:
        return False
    if _equal(mixed, first[source], first):
        return False
    if not _equal(read(chosen(x, some)), first, first):
        warnings.warn(
            "model: gives other outputs when the same examples are read again (dropout that is always on, sampling); "
            "the result is that of one draw, fix the random choices in evaluation mode",
            stacklevel=2,
        )
        return False
    warnings.warn(
        "model: its output for an example depends on the other examples of the batch (batch statistics, attention "
        "over the batch); each example is measured alone, whatever batch_size says",
        stacklevel=2,
    )
    return True


def _equal(a: Tensor, b: Tensor, outputs: Tensor) -> bool:
    """Up to rounding, and up to a small part of the spread of outputs."""
    precision = torch.finfo(outputs.dtype).eps if outputs.is_floating_point() else 0.0
    a, b, outputs = (as_numbers(t).double().nan_to_num() for t in (a, b, outputs))
    if not outputs.numel():
        return True
    spread = (outputs - outputs.mean(0)).abs().max()
    return bool((a - b).abs().max() <= PART * spread + ROUNDING * precision * outputs.abs().max())
