import math

import numpy as np
import pytest
import torch

from learnsym.statistics import Estimate, bootstrap_interval, bootstrap_seeds, percentile_interval
from tests.statistics.coverage import coverage, estimates


def test_the_bootstrap_of_examples_has_the_binomial_width():
    scores = (np.random.default_rng(0).random((1, 400)) < 0.9).astype(float)
    mean, low, high = bootstrap_seeds([scores], 2000, 0.9)
    p = mean[0]
    assert high[0] - low[0] == pytest.approx(2 * 1.645 * (p * (1 - p) / 400) ** 0.5, rel=0.1)


def test_seeds_that_differ_widen_the_interval():
    alike, apart = [np.full((1, 50), 0.9)] * 3, [np.full((1, 50), value) for value in (0.8, 0.9, 1.0)]
    narrow, wide = bootstrap_seeds(alike, 500, 0.9), bootstrap_seeds(apart, 500, 0.9)
    assert wide[2] - wide[1] > narrow[2] - narrow[1] + 0.05


def test_seeds_tested_on_different_numbers_of_examples_are_accepted():
    mean, low, high = bootstrap_seeds([np.ones((2, 10)), np.zeros((2, 20))], 200, 0.9)
    assert mean == pytest.approx(0.5) and (low >= 0).all() and (high <= 1).all()


def test_bootstrap_intervals_of_many_skewed_values_cover_nearly():
    values = estimates(400, 100, lambda *shape, dtype: torch.randn(*shape, dtype=dtype).exp())
    found = coverage((bootstrap_interval(each, 0.95, replicates=200) for each in values), math.exp(0.5))
    assert 0.87 < found < 0.97


def test_percentiles_of_infinite_values_are_values():
    found = percentile_interval(1.0, [0.5, 1.0, 2.0, math.inf, math.inf], 0.9, method="inverted_cdf")
    assert found.ends == (0.5, math.inf)


def test_one_example_is_refused():
    with pytest.raises(ValueError, match="over one example"):
        bootstrap_interval(Estimate.of(torch.rand(1)))
