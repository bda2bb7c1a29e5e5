import numpy as np
import pytest

from learnsym.report.intervals import bootstrap, over_seeds


def test_the_bootstrap_of_examples_has_the_binomial_width():
    scores = (np.random.default_rng(0).random((1, 400)) < 0.9).astype(float)
    mean, low, high = bootstrap([scores], 2000, 0.9)
    p = mean[0]
    assert high[0] - low[0] == pytest.approx(2 * 1.645 * (p * (1 - p) / 400) ** 0.5, rel=0.1)


def test_seeds_that_differ_widen_the_interval():
    alike, apart = [np.full((1, 50), 0.9)] * 3, [np.full((1, 50), value) for value in (0.8, 0.9, 1.0)]
    narrow, wide = bootstrap(alike, 500, 0.9), bootstrap(apart, 500, 0.9)
    assert wide[2] - wide[1] > narrow[2] - narrow[1] + 0.05


def test_seeds_tested_on_different_numbers_of_examples_are_accepted():
    mean, low, high = bootstrap([np.ones((2, 10)), np.zeros((2, 20))], 200, 0.9)
    assert mean == pytest.approx(0.5) and (low >= 0).all() and (high <= 1).all()


def test_one_seed_gives_no_interval():
    assert over_seeds([3.0], 0.9).low is None


def test_the_interval_over_seeds_is_students_and_stays_in_range():
    found = over_seeds([1.0, 2.0, 3.0], 0.9)
    assert found.estimate == 2.0 and found.high == pytest.approx(2.0 + 2.92 / 3**0.5, abs=1e-3)
    assert over_seeds([0.0, 1.0, 5.0], 0.9).low == 0.0
    assert over_seeds([170.0, 180.0], 0.9, cap=180.0).high == 180.0
