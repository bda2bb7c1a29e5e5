"""No cost grows faster than its theory says: operations are counted at two sizes of each case of the benchmarks."""

from __future__ import annotations

import pytest
import torch

from benchmarks.growth import ALLOWED, cases
from tests.benchmarks.counts import counted, growth

SLOW = {"law of poses", "grid of a comparison", "scores of layers"}
"""Cases that take seconds to count."""


def _parameter(case):
    marks = pytest.mark.slow if case.name in SLOW else ()
    return pytest.param(case, id=f"{case.name}, {case.axis}".replace(" ", "-"), marks=marks)


@pytest.mark.parametrize("case", map(_parameter, cases()))
def test_operations_grow_as_the_theory_says(case):
    small, large = (counted(case.make(size)) for size in case.few)
    assert growth(case.few, (small.work + 1, large.work + 1)) <= case.theory + ALLOWED
    assert growth(case.few, (small.operations + 1, large.operations + 1)) <= case.calls + ALLOWED
    assert growth(case.few, (small.calls, large.calls)) <= case.calls + ALLOWED


def _pairs(count):
    x = torch.rand(count)
    return lambda: (x[:, None] - x).exp().sum(0)


def _one_by_one(count):
    x = torch.rand(count)
    return lambda: [x[i] * 2 for i in range(count)]


def test_the_counts_see_all_pairs_and_loops():
    pairs, loop = ([counted(make(size)) for size in (64, 512)] for make in (_pairs, _one_by_one))
    assert growth((64, 512), tuple(each.work for each in pairs)) > 1.9
    assert growth((64, 512), tuple(each.operations for each in loop)) > 0.9
    assert growth((64, 512), tuple(each.calls for each in loop)) > 0.9
