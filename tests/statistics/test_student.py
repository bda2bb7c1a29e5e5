"""Student's intervals cover exactly, over examples and over seeds."""

import numpy as np
import pytest
import torch
from scipy import stats

from learnsym.statistics import Estimate, over_seeds, student_interval, student_quantile
from tests.statistics.coverage import coverage, estimates


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_student_intervals_of_few_normal_values_cover_exactly(level):
    found = coverage((student_interval(each, level) for each in estimates(2000, 5)), 0.0)
    assert abs(found - level) < 4 * (level * (1 - level) / 2000) ** 0.5


@pytest.mark.parametrize("freedom", [1, 2.5, 30, np.inf])
def test_quantiles_are_those_of_scipy(freedom):
    assert student_quantile(0.9, freedom) == stats.t.ppf(0.95, freedom)


def test_intervals_over_seeds_are_students():
    values = np.array([0.3, 0.9, 0.4])
    expected = stats.t.interval(0.9, 2, values.mean(), stats.sem(values))
    assert over_seeds(values, 0.9).ends == pytest.approx(expected)
    # a known part of the variance, and nothing else: normal
    known = over_seeds(np.array([1.0, 1.0]), 0.9, variance=4.0)
    assert known.high == pytest.approx(1 + 2 * stats.norm.ppf(0.95))


def test_intervals_over_seeds_and_over_examples_agree():
    values = torch.tensor([0.3, 0.9, 0.4, 0.7], dtype=torch.float64)
    assert over_seeds(values.numpy()).ends == pytest.approx(student_interval(Estimate.of(values)).ends)


def test_one_seed_gives_no_interval():
    assert over_seeds([3.0]).low is None


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0])
def test_levels_lie_between_0_and_1(level):
    with pytest.raises(ValueError, match="level"):
        over_seeds([1.0, 2.0], level)
    with pytest.raises(ValueError, match="level"):
        student_interval(Estimate.of(torch.rand(2)), level)


def test_nothing_has_no_interval():
    with pytest.raises(ValueError, match="over one example"):
        student_interval(Estimate.of(torch.rand(1)))
    with pytest.raises(ValueError, match="values: got none"):
        over_seeds([])
