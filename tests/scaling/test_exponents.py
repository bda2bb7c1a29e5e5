"""Same exponents with different factors, and different exponents, are told apart."""

import numpy as np
import pytest
from scaling_grids import CHINCHILLA, grid

from learnsym.scaling import Grid, Law, compare_exponents

C = np.logspace(18, 22, 3)
WORSE = Law(E=CHINCHILLA.E, A=3 * CHINCHILLA.A, a=0.34, B=3 * CHINCHILLA.B, b=0.28)
STEEPER = Law(E=CHINCHILLA.E, A=2e4, a=0.6, B=CHINCHILLA.B, b=0.28)


def runs(law, seed, flops=6.0):
    N, D, loss, cells = grid(law, seeds=3, noise=0.01, seed=seed)
    return Grid(N=N, D=D, loss=loss, cells=cells, flops_per_parameter_token=flops)


def test_a_factor_alone_is_recognised():
    found = compare_exponents(runs(CHINCHILLA, 0), runs(WORSE, 1), C)
    assert found.p_value > 0.01
    truth = np.log(CHINCHILLA.frontier(C) / WORSE.frontier(C))
    assert all(
        i.high < 0 and i.low - 0.02 < ratio < i.high + 0.02 for i, ratio in zip(found.log_ratio, truth, strict=True)
    )
    first, second = found.shared
    assert (first.a, first.b) == (second.a, second.b)
    factor = second.A / first.A
    assert factor == pytest.approx(3, rel=0.1)


def test_another_exponent_is_recognised():
    found = compare_exponents(runs(STEEPER, 0), runs(CHINCHILLA, 1), C)
    assert found.p_value < 0.01
    assert 0.1 < found.a.low < 0.26 < found.a.high and found.a_opt.high < 0
    assert max(abs(found.b.low), abs(found.b.high)) < 0.1


@pytest.mark.slow
def test_twins_with_one_exponent_are_told_apart_no_more_often_than_stated():
    values = [compare_exponents(runs(CHINCHILLA, seed), runs(WORSE, 1000 + seed), C).p_value for seed in range(60)]
    assert 0.02 <= np.mean(np.array(values) < 0.1) <= 0.18


def test_costlier_parameters_count_at_equal_compute():
    found = compare_exponents(runs(CHINCHILLA, 0, flops=31.0), runs(CHINCHILLA, 0), C)
    assert all(interval.low > 0 for interval in found.log_ratio)
    assert found.slope.high < 0


def test_wrong_budgets_are_named():
    with pytest.raises(ValueError, match=r"^C: got"):
        compare_exponents(runs(CHINCHILLA, 0), runs(WORSE, 1), np.array([1e20]))
    with pytest.raises(ValueError, match="level: got 2"):
        compare_exponents(runs(CHINCHILLA, 0), runs(WORSE, 1), C, level=2.0)
