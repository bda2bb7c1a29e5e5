"""Laws under costs that are no multiple of the parameters, at the same loss, with noise."""

import numpy as np
import pytest
from scaling_grids import CHINCHILLA, grid
from scipy.optimize import minimize_scalar

from learnsym.scaling import (
    Grid,
    Law,
    RepeatedLaw,
    SampleCost,
    compare_exponents,
    compute_ratios,
    huber_delta,
    law_intervals,
    repeated_intervals,
)
from learnsym.scaling.budgets import budgets
from learnsym.scaling.noise import log_noise

C = np.logspace(18, 22, 3)
WORSE = Law(E=CHINCHILLA.E, A=3 * CHINCHILLA.A, a=0.34, B=3 * CHINCHILLA.B, b=0.28)


@pytest.mark.parametrize("gamma", [0.7, 1.0, 1.5])
def test_the_best_split_is_the_least_loss(gamma):
    k, budget = 9.0, 1e18

    def loss(log_n):
        N = np.exp(log_n)
        return CHINCHILLA.loss(N, budget / (k * N**gamma))

    N, D = CHINCHILLA.optimal(budget, k, gamma)
    assert k * N**gamma * D == pytest.approx(budget)
    assert np.log(N) == pytest.approx(minimize_scalar(loss, bounds=(0, 60), method="bounded").x, abs=1e-3)
    steps = [np.log(np.divide(*(CHINCHILLA.optimal(c, k, gamma)[part] for c in (1e20, 1e18)))) for part in (0, 1)]
    assert np.array(steps) / np.log(100) == pytest.approx(CHINCHILLA.allocation(gamma))
    assert CHINCHILLA.allocation() == (CHINCHILLA.a_opt, CHINCHILLA.b_opt)


def test_costs_are_powers():
    N = np.geomspace(1e3, 1e6, 5)
    cost = SampleCost.of(N, 3.0 * N**1.2)
    assert (cost.factor, cost.exponent, cost.spread) == pytest.approx((3.0, 1.2, 0.0))
    assert cost.per_sample(10.0) == pytest.approx(3.0 * 10**1.2)
    alone = SampleCost.of(N[:1], N[:1] * 31)
    assert (alone.factor, alone.exponent) == pytest.approx((31.0, 1.0))
    with pytest.raises(ValueError, match=r"cost: changes as N\^-1"):
        SampleCost.of(N, 1 / N)


def test_the_same_loss_at_other_compute():
    one = np.ones(1)
    cheap, costly = (Grid(N=one, D=one, loss=one, cells=one, flops_per_parameter_token=k) for k in (6.0, 31.0))
    laws = ([CHINCHILLA], [CHINCHILLA])
    assert compute_ratios(costly, cheap, laws, 1e20) == pytest.approx(31 / 6, rel=1e-3)
    assert compute_ratios(cheap, costly, laws, 1e20) == pytest.approx(6 / 31, rel=1e-3)
    unreachable = [Law(E=10.0, A=1.0, a=0.3, B=1.0, b=0.3)]
    assert np.isinf(compute_ratios(cheap, cheap, (unreachable, [CHINCHILLA]), 1e20)[0])


def test_budgets_gather_runs_of_nearly_one_compute():
    found = budgets(np.array([1.0, 100.0, 1.05, 98.0, 7.0]))
    assert found == pytest.approx([1.05**0.5, 9800**0.5, 1.05**0.5, 9800**0.5, 7.0])


def test_noise_is_measured():
    N, D, loss, _ = grid(CHINCHILLA, seeds=3, noise=0.05)
    assert log_noise(N, D, loss) == pytest.approx(0.05, rel=0.25)
    assert huber_delta(N, D, grid(CHINCHILLA)[2][:36].repeat(3)) == 1e-3


def test_two_noisy_seeds_do_not_make_certain_intervals():
    N, D, loss, cells = grid(CHINCHILLA, sizes=3, seeds=2, noise=0.1)
    sharp, found = (
        law_intervals(N, D, loss, cells, irreducible=False, replicates=60, delta=delta)
        for delta in (1e-3, huber_delta(N, D, loss))
    )
    assert found.a.high - found.a.low > 0.01
    assert found.a.high - found.a.low > sharp.a.high - sharp.a.low


def paired(first, second, common, labels=("", "")):
    shared = np.random.default_rng(5000 + common).normal(size=36)
    grids = []
    for law, seed, label in zip((CHINCHILLA, WORSE), (first, second), labels, strict=True):
        N, D, loss, cells = grid(law, seeds=3, noise=0.007, seed=seed)
        loss = loss * np.exp(0.01 * shared[cells])
        grids.append(Grid(N=N, D=D, loss=loss, cells=np.array([f"{label}{cell}" for cell in cells])))
    return grids


def test_what_twins_have_in_common_drops_out():
    together = compare_exponents(*paired(0, 1, 0), C, replicates=100)
    apart = compare_exponents(*paired(0, 1, 0, ("", "other ")), C, replicates=100)
    assert together.paired and not apart.paired
    widths = [found.a.high - found.a.low for found in (together, apart)]
    assert widths[0] < 0.8 * widths[1]


@pytest.mark.slow
def test_paired_intervals_cover():
    found = [compare_exponents(*paired(seed, 1000 + seed, seed), C, seed=seed, replicates=100) for seed in range(60)]
    truth = np.log(CHINCHILLA.frontier(C) / WORSE.frontier(C))[1]
    assert np.mean([f.p_value < 0.1 for f in found]) <= 0.2
    for covered in (
        [f.a.low <= 0 <= f.a.high for f in found],
        [f.b.low <= 0 <= f.b.high for f in found],
        [f.log_ratio[1].low <= truth <= f.log_ratio[1].high for f in found],
    ):
        assert np.mean(covered) >= 0.8


TRUTH = RepeatedLaw(law=Law(0.1, 30.0, 0.4, 20.0, 0.3), R_star=12.0)


def repeated(seed, noise=0.01, epochs=(1.0, 4.0, 16.0, 64.0)):
    N, U, times = (x.ravel() for x in np.meshgrid(np.logspace(4, 7, 4), [1e3, 1e4, 1e5], epochs))
    loss = TRUTH.loss(N, U, U * times) * np.exp(noise * np.random.default_rng(seed).normal(size=N.shape))
    return N, U, U * times, loss, np.arange(len(N))


def test_the_worth_of_repetitions_has_an_interval():
    found = repeated_intervals(*repeated(0), replicates=60, delta=0.013)
    assert found.R_star.low < 12 < found.R_star.high
    assert found.R_star.high - found.R_star.low < 6
    assert found.samples.shape == (60, 6)


@pytest.mark.slow
def test_intervals_of_repetitions_cover():
    found = [repeated_intervals(*repeated(seed), replicates=100, delta=0.013).R_star for seed in range(60)]
    assert 0.78 <= np.mean([interval.low <= 12 <= interval.high for interval in found]) <= 0.98
