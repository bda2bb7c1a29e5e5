"""Parabolas per budget find the exponent of the law."""

import numpy as np
import pytest
from scaling_grids import CHINCHILLA

from learnsym.scaling import isoflop

BUDGETS = np.logspace(18, 22, 5)


def profiles(spread=3.0, noise=0.0, shift=1.0):
    """Runs around the best size of each budget."""
    C = np.repeat(BUDGETS, 7)
    N = shift * CHINCHILLA.optimal(C)[0] * np.tile(np.geomspace(1 / spread, spread, 7), len(BUDGETS))
    loss = CHINCHILLA.loss(N, C / (6 * N))
    return N, C, loss * np.exp(noise * np.random.default_rng(0).normal(size=loss.shape))


def test_the_exponent_and_the_optimum_are_those_of_the_law():
    found = isoflop(*profiles())
    assert found.a_opt == pytest.approx(CHINCHILLA.a_opt, rel=0.01)
    assert found.N_opt == pytest.approx(CHINCHILLA.optimal(BUDGETS)[0], rel=0.1)
    assert found.least == pytest.approx(CHINCHILLA.frontier(BUDGETS), rel=0.01)
    assert found.optimal(1e20) == pytest.approx(CHINCHILLA.optimal(1e20)[0], rel=0.1)
    assert all(found.inside)


def test_noise_moves_the_exponent_little():
    assert isoflop(*profiles(noise=0.002)).a_opt == pytest.approx(CHINCHILLA.a_opt, abs=0.05)


def test_a_budget_on_one_side_of_its_valley_is_left_out():
    N, C, loss = profiles()
    N[:7] *= 30
    loss[:7] = CHINCHILLA.loss(N[:7], C[:7] / (6 * N[:7]))
    found = isoflop(N, C, loss)
    assert found.inside == (False, True, True, True, True)
    assert found.a_opt == pytest.approx(CHINCHILLA.a_opt, rel=0.01)


def test_wrong_profiles_are_named():
    N, C, loss = profiles()
    with pytest.raises(ValueError, match="fewer than 3 sizes"):
        isoflop(N[:16], C[:16], loss[:16])
    with pytest.raises(ValueError, match="0 budgets have a minimum"):
        isoflop(*profiles(shift=1e-3))
    with pytest.raises(ValueError, match="loss: has values"):
        isoflop(N, C, -loss)
    with pytest.raises(ValueError, match="N: got shape"):
        isoflop(N[1:], C, loss)
