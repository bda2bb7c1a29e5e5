"""Repeated data: what repetitions are worth, and the fit of it."""

import numpy as np
import pytest
from scaling_grids import coefficients

from learnsym.scaling import Law, RepeatedLaw, effective_data, fit_law, fit_repeated
from learnsym.scaling._surface import Surface
from learnsym.scaling.repeated import _model

TRUTH = RepeatedLaw(law=Law(0.1, 30.0, 0.4, 20.0, 0.3), R_star=12.0)


def limited(epochs=(0.5, 1.0, 4.0, 16.0, 64.0), noise=0.0):
    N, U, times = (x.ravel() for x in np.meshgrid(np.logspace(4, 7, 4), [1e3, 1e4, 1e5], epochs))
    loss = TRUTH.loss(N, U, U * times)
    return N, U, U * times, loss * np.exp(noise * np.random.default_rng(0).normal(size=loss.shape))


def test_data_seen_once_count_fully_and_repetitions_saturate():
    assert effective_data(100.0, np.array([20.0, 100.0]), 15.0) == pytest.approx([20, 100])
    assert effective_data(100.0, 1e9, 15.0) == pytest.approx(100 * 16)
    assert effective_data(100.0, 200.0, 1e6) == pytest.approx(200, rel=1e-5)
    worth = effective_data(100.0, np.linspace(100, 1e4, 50), 15.0)
    assert (np.diff(worth) > 0).all() and (np.diff(worth, 2) < 0).all()


def test_the_worth_of_repetitions_comes_back():
    found = fit_repeated(*limited())
    assert found.R_star == pytest.approx(12, rel=0.01)
    assert coefficients(found.law) == pytest.approx(coefficients(TRUTH.law), rel=0.01)


def test_noise_moves_it_little():
    assert fit_repeated(*limited(noise=0.005)).R_star == pytest.approx(12, rel=0.3)


def test_the_law_of_fresh_data_is_the_same():
    N, U, D, loss = limited()
    fresh = D <= U
    assert fit_law(N[fresh], D[fresh], loss[fresh]).b == pytest.approx(fit_repeated(N, U, D, loss).law.b, rel=0.02)


def test_the_jacobian_with_repetitions_is_that_of_the_surface():
    N, U, D, loss = limited()
    surface = Surface.of(N, D, loss, True)
    theta, model = np.c_[surface.starts((0.3,))[:1], [[np.log(7.0)]]], _model(surface, U, D)
    for column in range(6):
        step = 1e-6 * np.eye(6)[[column]]
        numeric = (model(theta + step)[0] - model(theta - step)[0]) / 2e-6
        assert model(theta)[1][..., column] == pytest.approx(numeric, abs=1e-7)


def test_wrong_limits_are_named():
    N, U, D, loss = limited()
    with pytest.raises(ValueError, match="R_star: got 0"):
        effective_data(1.0, 2.0, 0.0)
    with pytest.raises(ValueError, match=r"^U: must be positive"):
        fit_repeated(N, -U, D, loss)
    with pytest.raises(ValueError, match=r"^D: no run sees more"):
        fit_repeated(*limited(epochs=(0.5, 1.0)))
    with pytest.raises(ValueError, match="must be at least 6"):
        fit_repeated(N[:5], U[:5], D[:5], loss[:5])
