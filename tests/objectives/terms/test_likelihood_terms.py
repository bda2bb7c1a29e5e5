"""Laws of the objective of probabilistic steerable networks."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym import equivariant as E
from learnsym import groups as G
from learnsym.objectives import Probabilistic
from learnsym.relax import Likelihood, ProbabilisticSteerableConv

BATCH = torch.randn(4, 1, 5, 5, dtype=torch.float64), torch.arange(4) % 3


def net(group, likelihoods):
    image, fields = E.FieldType.trivial(group, 1), E.FieldType.regular(group, 1)
    types = [image, *[fields] * (len(likelihoods) - 1), E.FieldType.trivial(group, 3)]
    convs = [
        ProbabilisticSteerableConv(a, b, 3, padding=1, likelihood=likelihood)
        for a, b, likelihood in zip(types, types[1:], likelihoods, strict=False)
    ]
    return nn.Sequential(*convs, nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()


def randomised(group):
    likelihood = Likelihood(group).double()
    nn.init.normal_(likelihood.coefficients.values, std=0.5)
    return likelihood


def test_parts_are_those_of_the_likelihoods():
    one, two = randomised(G.Dihedral(4)), randomised(G.Dihedral(4))
    model = net(G.Dihedral(4), [one, two])
    loss = Probabilistic(nn.functional.cross_entropy, align=5.0, previous=3.0, uniform=2.0, prior=0.1)(model, BATCH)
    parts = loss.parts
    torch.testing.assert_close(parts["prior"], 0.1 * (model[0].penalty() + model[1].penalty()).detach())
    torch.testing.assert_close(parts["align"], (one.alignment() + two.alignment()).detach())
    torch.testing.assert_close(parts["kl_previous"], (one.kl_to_uniform() + two.kl_to(one)).detach())
    torch.testing.assert_close(parts["kl_uniform"], (one.kl_to_uniform() + two.kl_to_uniform()).detach())
    expected = parts["task"] + 5 * parts["align"] + 1.5 * parts["kl_previous"] + parts["kl_uniform"]
    expected = expected + parts["prior"]
    torch.testing.assert_close(loss.total.detach(), expected)


def test_the_previous_layer_gets_no_pull_from_the_next():
    group = G.Cyclic(4)
    one, two = randomised(group), randomised(group)
    Probabilistic(lambda outputs, y: 0 * outputs.sum(), align=0.0, uniform=0.0)(
        net(group, [one, two]), BATCH
    ).total.backward()
    pull = one.coefficients.values.grad.clone()
    one.zero_grad()
    (1.5 * one.kl_to_uniform()).backward()
    torch.testing.assert_close(pull, one.coefficients.values.grad)


def test_a_shared_likelihood_counts_once_a_layer_and_uniform_ones_cost_nothing():
    shared = randomised(G.Cyclic(4))
    parts = Probabilistic(nn.functional.cross_entropy)(net(G.Cyclic(4), [shared, shared]), BATCH).parts
    torch.testing.assert_close(parts["kl_previous"], shared.kl_to_uniform().detach())
    uniform = [Likelihood(G.Cyclic(4)), Likelihood(G.Cyclic(4))]
    parts = Probabilistic(nn.functional.cross_entropy)(net(G.Cyclic(4), uniform), BATCH).parts
    assert all(parts[name].abs() < 1e-12 for name in ("align", "kl_previous", "kl_uniform"))


def test_a_model_without_likelihoods_has_the_task_alone():
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, 3)).double()
    loss = ls.objectives.Probabilistic(nn.functional.cross_entropy)(model, BATCH)
    torch.testing.assert_close(loss.total.detach(), loss.parts["task"])


def test_weights_must_not_be_negative():
    with pytest.raises(ValueError, match="align: got -1"):
        Probabilistic(nn.functional.cross_entropy, align=-1.0)
