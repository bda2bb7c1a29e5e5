"""Fits: known laws come back, the optimum is that of a general optimiser, wrong input is named."""

import numpy as np
import pytest
from scaling_grids import CHINCHILLA, coefficients, grid
from scipy.optimize import minimize

from learnsym.scaling import Law, fit_law
from learnsym.scaling._minimise import huber
from learnsym.scaling._surface import Surface


def objective(law, N, D, loss, delta):
    return float(huber(np.log(loss / law.loss(N, D))[None], delta).sum())


@pytest.mark.parametrize("law", [CHINCHILLA, Law(0.02, 30.0, 0.1, 20.0, 0.5), Law(1.0, 1e6, 0.9, 50.0, 0.15)])
def test_the_law_of_a_grid_without_noise_comes_back(law):
    N, D, loss, _ = grid(law)
    assert coefficients(fit_law(N, D, loss)) == pytest.approx(coefficients(law), rel=0.01)


def test_a_law_without_irreducible_loss_comes_back():
    law = Law(0.0, 406.4, 0.34, 410.7, 0.28)
    N, D, loss, _ = grid(law)
    assert coefficients(fit_law(N, D, loss, irreducible=False)) == pytest.approx(coefficients(law), rel=0.01)
    kept = coefficients(fit_law(N, D, loss))[0]
    assert kept < 1e-3 * loss.min()


@pytest.mark.parametrize("delta", [1e-3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_no_general_optimiser_finds_less(delta, seed):
    N, D, loss, _ = grid(CHINCHILLA, seeds=2, noise=0.02, seed=seed)
    law = fit_law(N, D, loss, delta=delta)

    def of_logs(logs):
        return objective(Law(*np.exp(logs)), N, D, loss, delta)

    scattered = np.log(coefficients(law)) + 0.05 * np.random.default_rng(seed).normal(size=(4, 5))
    starts = [np.log(coefficients(law)), np.log(coefficients(CHINCHILLA)), *scattered]
    options = {"maxiter": 4000, "maxfev": 4000, "xatol": 1e-9, "fatol": 1e-14}
    found = min(minimize(of_logs, start, method="Nelder-Mead", options=options).fun for start in starts)
    assert objective(law, N, D, loss, delta) <= found * (1 + 1e-3)


def test_more_starts_find_the_same():
    N, D, loss, _ = grid(CHINCHILLA, seeds=3, noise=0.02)
    few, many = fit_law(N, D, loss), fit_law(N, D, loss, starts=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6))
    assert coefficients(few) == pytest.approx(coefficients(many), rel=1e-2)


def test_outliers_do_not_move_the_law():
    N, D, loss, _ = grid(CHINCHILLA)
    loss[[3, 17]] *= 3
    assert coefficients(fit_law(N, D, loss)) == pytest.approx(coefficients(CHINCHILLA), rel=0.02)


@pytest.mark.parametrize("irreducible", [True, False])
def test_the_jacobian_is_that_of_the_surface(irreducible):
    N, D, loss, _ = grid(CHINCHILLA, noise=0.1)
    surface = Surface.of(N, D, loss, irreducible)
    theta, model = surface.starts((0.3,))[:1], surface.model()
    for column in range(theta.shape[1]):
        step = 1e-6 * np.eye(theta.shape[1])[[column]]
        numeric = (model(theta + step)[0] - model(theta - step)[0]) / 2e-6
        assert model(theta)[1][..., column] == pytest.approx(numeric, abs=1e-7)


def test_exponents_stay_positive_where_loss_rises():
    N, D, _, _ = grid(CHINCHILLA)
    law = fit_law(N, D, N**0.1 * D**0.1)
    assert law.a > 0 and law.b > 0 and np.isfinite(coefficients(law)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda N, D, L: (N[:4], D[:4], L[:4]), "loss: got 4 points, must be at least 5"),
        (lambda N, D, L: (N, D, -L), "loss: got -.* must be positive"),
        (lambda N, D, L: (N, D, np.where(np.arange(len(L)) == 3, np.inf, L)), "loss: got inf"),
        (lambda N, D, L: (0 * N, D, L), "N: got 0.0, must be positive"),
        (lambda N, D, L: (0 * N + 5, D, L), "N: got 5.0 alone, must vary"),
        (lambda N, D, L: (N, 0 * D + 5, L), "D: got 5.0 alone, must vary"),
        (lambda N, D, L: (N[1:], D, L), "N: got shape"),
    ],
)
def test_wrong_grids_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        fit_law(*change(*grid(CHINCHILLA)[:3]))


@pytest.mark.parametrize("wrong", [{"delta": 0.0}, {"starts": ()}, {"starts": (0.3, -1.0)}])
def test_wrong_options_are_named(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: got"):
        fit_law(*grid(CHINCHILLA)[:3], **wrong)
