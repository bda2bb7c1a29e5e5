"""The law: values, and the split of compute that is best under it."""

import numpy as np
import pytest
from scaling_grids import CHINCHILLA

from learnsym.scaling import Law


def test_exponents_of_the_split_add_up():
    assert CHINCHILLA.a_opt == pytest.approx(0.28 / 0.62)
    assert CHINCHILLA.a_opt + CHINCHILLA.b_opt == pytest.approx(1)


@pytest.mark.parametrize("flops", [6.0, 31.0])
def test_the_optimum_spends_the_compute_and_no_neighbour_is_better(flops):
    C = np.logspace(18, 24, 7)
    N, D = CHINCHILLA.optimal(C, flops)
    assert flops * N * D == pytest.approx(C)
    for factor in (0.9, 1.1):
        assert (CHINCHILLA.loss(N * factor, D / factor) > CHINCHILLA.frontier(C, flops)).all()


def test_the_optimum_is_a_power_of_compute():
    C = np.logspace(18, 24, 7)
    N, D = CHINCHILLA.optimal(C)
    assert np.diff(np.log(N)) / np.diff(np.log(C)) == pytest.approx(CHINCHILLA.a_opt)
    assert np.diff(np.log(D)) / np.diff(np.log(C)) == pytest.approx(CHINCHILLA.b_opt)


def test_numbers_give_numbers():
    assert all(isinstance(value, float) for value in (*CHINCHILLA.optimal(10**20), CHINCHILLA.loss(10**6, 10**9)))


@pytest.mark.parametrize("name", ["E", "A", "a", "B", "b"])
@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_coefficients_are_checked(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        Law(**{"E": 1.0, "A": 1.0, "a": 1.0, "B": 1.0, "b": 1.0, name: value})


def test_compute_per_parameter_is_positive():
    with pytest.raises(ValueError, match="flops_per_parameter_token"):
        CHINCHILLA.optimal(1e20, 0.0)
