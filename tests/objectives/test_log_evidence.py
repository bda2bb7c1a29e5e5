"""The log evidence against dense matrices, its bounds from parts, and the Kronecker factors where they are exact."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

import learnsym as ls
from learnsym.objectives.marginal_likelihood.evidence import log_evidence
from learnsym.objectives.marginal_likelihood.kronecker import Kronecker
from learnsym.objectives.marginal_likelihood.likelihoods import Classes, NormalNoise

X, LABELS = torch.randn(6, 1, 4, 4, dtype=torch.float64), torch.arange(6) % 3
NUMBERS = torch.randn(6, 3, dtype=torch.float64)
CASES = {"classes": (Classes(), LABELS), "numbers": (NormalNoise(0.3), NUMBERS)}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 3)).double()


def weights_of(net):
    """And a precision of each, all different."""
    weights = dict(net.named_parameters())
    return weights, {name: torch.tensor(0.5 + i, dtype=torch.float64) for i, name in enumerate(weights)}


def dense(net, x, likelihood):
    """The generalised Gauss-Newton matrix, by Jacobians and second derivatives of the log likelihood."""
    weights = {name: weight.detach() for name, weight in net.named_parameters()}
    jacobian = jacrev(lambda w: functional_call(net, w, (x,)))(weights)
    J = torch.cat([part.flatten(2) for part in jacobian.values()], 2)
    S = likelihood.root(net(x))
    return torch.einsum("bcp,bcd,bdq->pq", J, S @ S.mT, J).detach()


@pytest.mark.parametrize("name", CASES)
def test_the_root_is_one_of_the_second_derivatives(name):
    likelihood, y = CASES[name]
    f = torch.randn(6, 3, dtype=torch.float64)
    for n in range(6):
        hessian = torch.func.hessian(lambda out, n=n: -likelihood.log_prob(out[None], y[n : n + 1]).sum())(f[n])
        S = likelihood.root(f)[n]
        torch.testing.assert_close(S @ S.mT, hessian)


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_integral_of_the_quadratic_form(name):
    likelihood, y = CASES[name]
    net = network()
    weights, precisions = weights_of(net)
    found = log_evidence(net, weights, precisions, X, y, likelihood)
    H = dense(net, X, likelihood)
    delta = torch.cat([precisions[n].expand(w.numel()) for n, w in weights.items()])
    prior = sum(float(precisions[n] * w.square().sum()) for n, w in weights.items())
    expected = float(likelihood.log_prob(net(X), y).sum()) - prior / 2
    expected += float(delta.log().sum() - torch.logdet(H + delta.diag())) / 2
    assert float(found.total) == pytest.approx(expected, abs=1e-9)
    shares = (H @ torch.linalg.inv(H + delta.diag())).diagonal().split([w.numel() for w in weights.values()])
    for tensor, share in zip(weights, shares, strict=True):
        assert float(found.dimensions[tensor]) == pytest.approx(float(share.sum()), abs=1e-9)


def test_parts_of_examples_and_of_the_curvature_bound_it_from_below():
    net = network()
    weights, precisions = weights_of(net)
    whole = log_evidence(net, weights, precisions, X, LABELS, Classes()).total
    parts = [
        log_evidence(net, weights, precisions, X[rows], LABELS[rows], Classes(), examples=6, column=column).total
        for rows in (slice(0, 2), slice(2, 4), slice(4, 6))
        for column in range(3)
    ]
    assert torch.stack(parts).mean() < whole - 0.1


def test_its_gradient_in_the_law_is_that_of_differences():
    """With the same elements: what a law of transformations follows."""
    model = ls.augment.Augmented(network(), "rotation2d", test_copies=3).double().eval()
    weights = {name: weight for name, weight in model.named_parameters() if name.startswith("net.")}
    precisions = {name: torch.ones((), dtype=torch.float64) for name in weights}
    (law,) = model.symmetry_parameters()

    def value():
        exact = log_evidence(model, weights, precisions, X, LABELS, Classes()).total
        _, factors = Kronecker().of(model, Kronecker().held(model, weights), X, Classes())
        return torch.stack([exact, factors.occam(precisions, 6).log_determinant])

    for k in range(2):
        (slope,) = torch.autograd.grad(value()[k], law)
        step = 1e-5
        with torch.no_grad():
            law += step
        up = float(value()[k])
        with torch.no_grad():
            law -= 2 * step
        down = float(value()[k])
        with torch.no_grad():
            law += step
        assert float(slope) == pytest.approx((up - down) / (2 * step), rel=1e-5)
