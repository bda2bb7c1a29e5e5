"""Quadrature, NUTS and SVI agree with a closed form; intervals hold the truth as often as they say."""

from __future__ import annotations

import pytest
import torch

import learnsym as ls
from learnsym.posterior import Diagnostics, SpikedPrior, posterior_of
from learnsym.posterior.degree_posterior import DegreePosterior
from tests.posterior.angles import exact_posterior, seen

PRIOR = SpikedPrior(0.3, 0.2)


def _figures(posterior: DegreePosterior) -> torch.Tensor:
    means = [mean / axis.cap for mean, axis in zip(posterior.mean().values(), posterior.axes, strict=True)]
    return torch.tensor([list(posterior.none().values()), list(posterior.full().values()), means]).double().mT


@pytest.mark.parametrize("truth", [[0.4], [0.0], [1.0], [0.12]])
def test_quadrature_agrees_with_a_closed_form(truth):
    likelihood = seen(truth)
    spikes, mean = exact_posterior(likelihood, PRIOR)
    posterior = posterior_of(likelihood, prior=PRIOR, way="quadrature")
    assert torch.allclose(_figures(posterior), torch.cat([spikes, mean[:, None]], 1), atol=2e-3)
    assert not posterior.diagnostics.doubt


def test_svi_agrees_with_a_closed_form_for_several_degrees():
    likelihood = seen([0.0, 0.3, 1.0, 0.15])
    spikes, mean = exact_posterior(likelihood, PRIOR)
    posterior = posterior_of(likelihood, prior=PRIOR, way="svi")
    assert torch.allclose(_figures(posterior), torch.cat([spikes, mean[:, None]], 1), atol=0.05)
    assert posterior.diagnostics.effective > 100


@pytest.mark.slow
@pytest.mark.parametrize("truth", [[0.12], [0.0, 0.3, 1.0]])
def test_nuts_agrees_with_a_closed_form(truth):
    likelihood = seen(truth)
    spikes, mean = exact_posterior(likelihood, PRIOR)
    posterior = posterior_of(likelihood, prior=PRIOR, way="nuts")
    assert torch.allclose(_figures(posterior), torch.cat([spikes, mean[:, None]], 1), atol=0.1)
    assert posterior.diagnostics.r_hat < 1.1 and posterior.diagnostics.divergences < 0.01


@pytest.mark.slow
def test_nuts_sums_the_spikes_out(monkeypatch):
    monkeypatch.setattr("learnsym.posterior.nuts.WARM_UP", 60)
    monkeypatch.setattr("learnsym.posterior.nuts.STEPS", 120)
    likelihood = seen([0.12], count=40)
    spikes, mean = exact_posterior(likelihood, PRIOR)
    found = _figures(posterior_of(likelihood, prior=PRIOR, way="nuts"))
    assert torch.allclose(found, torch.cat([spikes, mean[:, None]], 1), atol=0.25)


def test_intervals_hold_truths_from_the_prior_as_often_as_they_say():
    truths = PRIOR.expand((300,)).quantile((torch.arange(300) + 0.5) / 300)
    held, narrow = 0, 0.0
    for seed, truth in enumerate(truths.tolist()):
        posterior = posterior_of(seen([truth], count=25, seed=seed, noise=0.3), prior=PRIOR)
        found = posterior.interval("turn 0")
        low, high = found.ends
        held += low - 1e-6 <= 180 * truth <= high + 1e-6
        narrow += (high - low) / 180 / 300
        assert low <= found.estimate <= high
    assert 0.87 <= held / 300 <= 0.99  # joined intervals hold a little more than the level
    assert narrow < 0.5


def test_the_random_state_of_the_caller_is_left_alone_and_a_seed_repeats():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, second = (posterior_of(seen([0.2, 0.5], count=20), seed=1) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.draws, second.draws)


def test_bad_draws_are_rejected_wherever_their_degrees_go():
    posterior = posterior_of(seen([0.4]), group="SO(2)")
    bad = DegreePosterior(**{**vars(posterior), "diagnostics": Diagnostics(method="NUTS", r_hat=1.3)})
    (degree,) = ls.degrees(bad)
    assert degree.status == "rejected" and "R-hat is 1.30" in degree.reason
    assert "rejected" in repr(bad)


@pytest.mark.parametrize("bad", [{"effective": 20.0}, {"divergences": 0.2}, {"copies": 2.0}])
def test_each_diagnostic_is_looked_at(bad):
    assert Diagnostics(method="NUTS", **bad).doubt
    assert not Diagnostics(method="NUTS").doubt


def test_a_posterior_is_told_in_three_lines_and_by_its_degrees():
    posterior = posterior_of(seen([0.4, 0.0]), group="SE(2)")
    assert len(repr(posterior).splitlines()) == 3
    degrees = ls.degrees(posterior)
    assert [degree.generator for degree in degrees] == ["turn 0", "turn 1"]
    assert all(degree.low <= degree.estimate <= degree.high for degree in degrees)
    assert all(degree.notion == "task" and degree.site == "input" for degree in degrees)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"way": "guess"}, "way"),
        ({"way": "quadrature"}, "for 2 degrees"),
        ({"level": 90.0}, "level"),
        ({"prior": SpikedPrior().expand((3,))}, "prior: is of 3 degrees, must be of 2"),
    ],
)
def test_refuses_what_does_not_fit(options, said):
    with pytest.raises(ValueError, match=said):
        posterior_of(seen([0.4, 0.0]), **options)


def test_nuts_is_for_few_degrees():
    with pytest.raises(ValueError, match="for at most 6; take 'svi'"):
        posterior_of(seen([0.1] * 7), way="nuts")
