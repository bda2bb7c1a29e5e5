"""Memory that a training frees in one step is there in the next, without a page of it being cleared again."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from learnsym import _freed_memory
from learnsym._freed_memory import freed_memory_is_kept
from learnsym.data import Batches, Dataset
from learnsym.objectives import Supervised
from learnsym.training import fit

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")),
    reason="another allocator than that of glibc",
)
BYTES = 64 * 2**20
PAGES = BYTES // resource.getpagesize()


def _faults(function):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    function()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _resident():
    """Pages in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1])


def _block():
    torch.zeros(BYTES // 4)


def _later(function, turns=8):
    """Pages that turns take after as many others, in which small blocks find places of their own."""
    for _ in range(turns):
        function()
    return sum(_faults(function) for _ in range(turns))


def test_a_large_block_takes_no_new_pages():
    with freed_memory_is_kept():
        assert _later(_block) < PAGES
        kept = _resident()
    assert kept - _resident() > PAGES / 2  # given back at the end


@pytest.mark.parametrize("variable", ["MALLOC_MMAP_THRESHOLD_=65536", "GLIBC_TUNABLES=glibc.malloc.mmap_max=10"])
def test_an_allocator_that_was_set_by_hand_is_left_alone(variable, monkeypatch):
    asked = []
    monkeypatch.setattr(_freed_memory, "_set", asked.append)
    with freed_memory_is_kept():
        assert asked.pop() == _freed_memory.KEPT
    monkeypatch.setenv(*variable.split("=", 1))
    asked.clear()
    with freed_memory_is_kept():
        pass
    assert asked == []


def test_blocks_below_the_threshold_are_kept_afterwards_as_without():
    """Setting one parameter ends the adaptation of the others: they are left where it would have arrived."""
    with freed_memory_is_kept():
        pass
    assert _later(lambda: torch.zeros(BYTES // 32)) < PAGES / 8


class Wide(nn.Module):
    """A network whose activations are one large block."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(BYTES // 4 // 16))
        self.faults = []

    def forward(self, x):
        self.faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
        return (x * self.weight).sum(1, keepdim=True) * torch.ones(2)


def test_steps_of_a_training_take_no_new_pages():
    data = Dataset(torch.rand(32, 1), torch.zeros(32, dtype=torch.long), classes=2)
    model = Wide()
    fit(model, Supervised(nn.functional.cross_entropy), Batches(data, 16), steps=20)
    late = model.faults[-1] - model.faults[-9]
    assert late < 8 * PAGES  # of 32 without
