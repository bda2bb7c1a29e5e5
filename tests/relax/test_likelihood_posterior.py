"""Laws of posteriors over likelihoods: closed forms against Monte Carlo, draws in training, credible intervals."""

import itertools

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym import equivariant as E
from learnsym import groups as G
from learnsym.relax import (
    Likelihood,
    ProbabilisticSteerableConv,
    bayesian_likelihood,
    coverage_degrees,
    kl_along_depth,
)

GROUPS = [G.Cyclic(4), G.Dihedral(4), G.SO2(), G.O2()]


def posterior(group, mean=0.4, log_scale=-1.0):
    likelihood = bayesian_likelihood(group).double()
    nn.init.normal_(likelihood.coefficients.mean, std=mean)
    nn.init.normal_(likelihood.coefficients.log_scale, mean=log_scale, std=0.3)
    return likelihood


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_kl_along_depth_is_its_monte_carlo_mean(group):
    layers = [posterior(group) for _ in range(3)]
    count, scale, step = 40000, 0.8, 0.3
    with torch.no_grad():
        laws = [layer.coefficients.distribution() for layer in layers]
        draws = [law.sample((count,)) for law in laws]
        total = sum(law.log_prob(c).sum(1) for law, c in zip(laws, draws, strict=True))
        total = total - torch.distributions.Normal(0.0, scale).log_prob(draws[0]).sum(1)
        for before, c in itertools.pairwise(draws):
            total = total - torch.distributions.Normal(before, step).log_prob(c).sum(1)
        found = kl_along_depth(layers, scale, step)
    assert abs(found - total.mean()) < 5 * total.std() / count**0.5


def test_the_prior_itself_has_divergence_zero():
    likelihood = bayesian_likelihood(G.O2()).double()
    nn.init.constant_(likelihood.coefficients.log_scale, 0.0)
    assert kl_along_depth([likelihood], scale=1.0).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_draws_in_training_and_the_mean_otherwise(group):
    likelihood = posterior(group)
    likelihood.train()
    assert not torch.equal(likelihood.log_density(), likelihood.log_density())
    likelihood.eval()
    assert torch.equal(likelihood.log_density(), likelihood.log_density())
    plain = Likelihood(group).double()
    plain.coefficients.assign(likelihood.coefficients.mean.detach())
    torch.testing.assert_close(plain.log_density(), likelihood.log_density())


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_credible_intervals_hold_the_draws(group):
    likelihood = posterior(group, log_scale=-0.5)
    found = coverage_degrees(likelihood.eval(), "layer:0")
    assert all(0 <= degree.low < degree.high <= 1 for degree in found)
    covered = (-likelihood.kl_to_uniform(likelihood.coefficients.draws(4000))).exp()
    inside = ((covered >= found[0].low) & (covered <= found[0].high)).double().mean().item()
    assert inside == pytest.approx(found[0].level, abs=0.06)
    assert [d.low for d in found] == [d.low for d in coverage_degrees(likelihood, "layer:0")]
    sharp = posterior(group, log_scale=-6.0)
    assert all(d.high - d.low < 0.05 for d in coverage_degrees(sharp.eval(), "layer:0"))


def net(group):
    fields = E.FieldType.all_irreps(group, 1, None if group.order else 1)
    image = E.FieldType.trivial(group, 1)
    likelihoods = [bayesian_likelihood(group) for _ in range(2)]
    return nn.Sequential(
        ProbabilisticSteerableConv(image, fields, 3, padding=1, likelihood=likelihoods[0]),
        ProbabilisticSteerableConv(fields, E.FieldType.trivial(group, 3), 3, padding=1, likelihood=likelihoods[1]),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).double()


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_elbo_reaches_every_parameter(group):
    model, batch = net(group), (torch.randn(4, 1, 5, 5, dtype=torch.float64), torch.arange(4) % 3)
    objective = ls.objectives.LikelihoodELBO(nn.functional.cross_entropy, examples=10)
    loss = objective(model, batch)
    torch.testing.assert_close(loss.total, loss.parts["task"] + loss.parts["kl"] / 10)
    loss.total.backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters() if p.numel())


def test_the_posterior_of_examples_without_symmetry_leaves_the_group():
    """A target that only a broken kernel can give: less coverage, with an upper end below the whole group."""
    group = G.Cyclic(4)
    image = E.FieldType.trivial(group, 1)
    conv = ProbabilisticSteerableConv(image, image, 3, padding=1, likelihood=bayesian_likelihood(group), rank=4)
    x = torch.randn(64, 1, 7, 7)
    y = x.roll(1, -1)
    objective = ls.objectives.LikelihoodELBO(lambda a, b: 50 * nn.functional.mse_loss(a, b), examples=1000)
    optimiser = torch.optim.Adam(conv.parameters(), lr=0.03)
    for _ in range(150):
        optimiser.zero_grad()
        objective(conv, (x, y)).total.backward()
        optimiser.step()
    (degree,) = conv.eval().degrees("layer:0")
    assert degree.high < 0.9


def test_bad_input():
    with pytest.raises(ValueError, match="got one without a posterior"):
        kl_along_depth([Likelihood(G.SO2())])
    with pytest.raises(ValueError, match="got 4 and 2 coefficients in successive layers"):
        kl_along_depth([bayesian_likelihood(G.SO2(), 2), bayesian_likelihood(G.SO2(), 1)])
    with pytest.raises(ValueError, match="examples: got 0"):
        ls.objectives.LikelihoodELBO(nn.functional.cross_entropy, examples=0)
