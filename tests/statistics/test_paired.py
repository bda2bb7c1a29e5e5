"""Paired differences keep their level and ratios cover."""

import pytest
import torch

from learnsym.statistics import Estimate, paired_difference, ratio_of_means, student_interval
from tests.statistics.coverage import coverage


def test_intervals_of_ratios_cover():
    a, b = torch.rand(2, 500, 60, dtype=torch.float64)
    a = a + 2 * b
    ratios = [ratio_of_means(Estimate.of(x), Estimate.of(y)) for x, y in zip(a, b, strict=True)]
    assert abs(coverage((student_interval(each, 0.95) for each in ratios), 3.0) - 0.95) < 0.04
    assert ratios[0].mean == pytest.approx(float(a[0].mean() / b[0].mean()))


def test_paired_differences_keep_their_level_and_find_what_pairing_shows():
    hard = 10 * torch.rand(200, 30, dtype=torch.float64)
    a, b, better = (hard + torch.randn_like(hard) for _ in range(3))
    same = [paired_difference(Estimate.of(x), Estimate.of(y), permutations=199) for x, y in zip(a, b, strict=True)]
    assert 0.01 <= sum(each.p_value <= 0.05 for each in same) / 200 <= 0.1
    found = paired_difference(Estimate.of(a.flatten()), Estimate.of(better.flatten() - 0.2))
    assert found.p_value == 0.0005
    # unpaired, the spread of the examples would make it uncertain
    assert found.difference.stderr < (2 * a.var() / a.numel()) ** 0.5 / 2


def test_alternatives_point_to_their_sides():
    a, b = Estimate.of(torch.rand(20) + 1), Estimate.of(torch.rand(20))
    sides = [paired_difference(a, b, side).p_value for side in ("two-sided", "greater", "less")]
    assert sides == [0.0005, 0.0005, 1.0]
    assert paired_difference(a, a).p_value == 1.0


def test_refusals():
    two, three = (Estimate.of(torch.rand(count)) for count in (2, 3))
    with pytest.raises(ValueError, match="over 2 and 3 examples, must be over the same"):
        paired_difference(two, three)
    with pytest.raises(ValueError, match="denominator: its mean is 0"):
        ratio_of_means(two, Estimate.of(torch.zeros(2)))
