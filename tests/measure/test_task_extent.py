"""The set of widths within noise of the best."""

import pytest
import torch

from learnsym import measure

WIDTHS = [0.0, 30.0, 60.0, 90.0]


def losses(shape, excess, spread=0.5):
    """Losses that share the difficulty of examples and differ by `excess` a width."""
    base = torch.rand(shape[-1], dtype=torch.float64)
    noise = spread * torch.randn(len(WIDTHS), *shape, dtype=torch.float64)
    return base + torch.tensor(excess).view(-1, *[1] * len(shape)) + noise


def test_clear_differences_leave_one_width():
    found = measure.task_extent(losses((400,), [1.0, 0.0, 1.0, 2.0]), WIDTHS)
    assert found.best == 30.0 and found.tolerated == [30.0]


def test_equal_widths_are_tolerated_together():
    found = measure.task_extent(losses((400,), [1.0, 0.0, 0.0, 1.0], spread=0.1), WIDTHS)
    assert set(found.tolerated) <= {30.0, 60.0} and found.best in found.tolerated
    degree = found.degree(group="SO(2)")
    assert degree.notion == "task" and degree.low <= degree.estimate <= degree.high


def test_the_best_is_kept_in_the_set_as_often_as_promised():
    kept = sum(30.0 in measure.task_extent(losses((100,), [9.0, 0.0, 0.0, 9.0]), WIDTHS).tolerated for _ in range(300))
    assert kept / 300 > 0.9


def test_spread_over_replicates_widens_the_set():
    steady = losses((6, 50), [0.2, 0.0, 0.2, 0.2], spread=0.01)
    noisy = steady.clone()
    noisy[0] += torch.linspace(-1, 1, 6, dtype=torch.float64)[:, None]
    assert measure.task_extent(steady, WIDTHS).tolerated == [30.0]
    assert 0.0 in measure.task_extent(noisy, WIDTHS).tolerated


def test_bad_input():
    with pytest.raises(ValueError, match="losses: got shape"):
        measure.task_extent(torch.zeros(3, 10), WIDTHS)
    with pytest.raises(ValueError, match="not finite"):
        measure.task_extent(torch.full((4, 10), float("nan")), WIDTHS)
