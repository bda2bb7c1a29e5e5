"""The spiked prior is a law: its masses add up, its quantiles are those of its draws."""

from __future__ import annotations

import pickle

import pytest
import torch

from learnsym.posterior.prior import FULL, NONE, SpikedPrior, configurations, configured

PRIORS = [SpikedPrior(), SpikedPrior(0.1, 0.6, 2.0, 3.0), SpikedPrior(torch.tensor([0.3, 0.2]), 0.1, 0.7, 1.5)]


@pytest.mark.parametrize("prior", PRIORS)
def test_spikes_and_slab_have_mass_one(prior):
    s = ((torch.arange(20000) + 0.5) / 20000).double()
    slab = prior.log_prob(s.view(-1, *[1] * len(prior.batch_shape))).exp().mean(0)
    total = slab + prior.none + prior.full
    assert torch.allclose(total, torch.ones_like(total), atol=1e-2)
    assert torch.allclose(prior.spikes().sum(-1), torch.ones(()))


@pytest.mark.parametrize("prior", PRIORS)
def test_draws_lie_on_the_spikes_as_often_as_their_masses(prior):
    torch.manual_seed(0)
    draws = prior.sample((4000,))
    assert torch.allclose((draws == 0).float().mean(0), prior.none, atol=0.03)
    assert torch.allclose((draws == 1).float().mean(0), prior.full, atol=0.03)
    assert bool(prior.support.check(draws).all())


def test_quantiles_invert_the_law_of_the_slab():
    prior, u = SpikedPrior(0.2, 0.2, 2.0, 3.0), torch.linspace(0.05, 0.95, 7)
    s = prior.slab_quantile(u)
    assert torch.allclose(1 - (1 - s**prior.a) ** prior.b, u, atol=1e-6)
    grid = torch.linspace(0, 1, 50)
    assert bool((prior.quantile(grid).diff() >= 0).all())


def test_configurations_are_all_of_them_with_the_prior_of_each():
    z, log_prior = configurations(SpikedPrior(0.2, 0.3).expand((3,)))
    assert len(z) == 27 == len(z.unique(dim=0))
    assert torch.allclose(log_prior.exp().sum(), torch.ones(()))
    s = configured(torch.full((3,), 0.4), z)
    assert bool((s[z == NONE] == 0).all()) and bool((s[z == FULL] == 1).all())


def test_the_prior_can_be_sent():
    prior = pickle.loads(pickle.dumps(SpikedPrior(0.1, 0.2)))
    assert float(prior.none) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((0.0, 0.2), "none, full: got 0.0"), ((0.6, 0.6), "sum below 1"), ((0.2, 0.2, -1.0), "a, b: got -1.0")],
)
def test_refuses_what_is_no_law(arguments, said):
    with pytest.raises(ValueError, match=said):
        SpikedPrior(*arguments)
