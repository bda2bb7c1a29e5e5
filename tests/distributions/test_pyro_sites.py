"""Distributions as sites of Pyro models."""

import math

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import SVI, Trace_ELBO, TraceEnum_ELBO, config_enumerate
from torch.distributions import constraints

from learnsym.distributions import GroupCategorical, LieBox, WrappedNormal
from learnsym.groups import SO2, Cyclic

POINT = torch.tensor([1.0, 0.0])


@pytest.fixture(autouse=True)
def no_parameters():
    pyro.clear_param_store()


def model(observed):
    with pyro.plate("examples", len(observed)):
        g = pyro.sample("g", WrappedNormal(SO2(), torch.tensor([math.pi])))
        pyro.sample("x", dist.Normal(g @ POINT, 0.1).to_event(1), obs=observed)


def guide(observed):
    half_width = pyro.param("half_width", torch.tensor([1.0]), constraint=constraints.positive)
    with pyro.plate("examples", len(observed)):
        pyro.sample("g", LieBox(SO2(), half_width))


def test_a_box_is_learned_by_svi():
    observed = SO2().exp(0.02 * torch.randn(16, 1)) @ POINT
    svi = SVI(model, guide, pyro.optim.Adam({"lr": 0.05}), Trace_ELBO())
    losses = [svi.step(observed) for _ in range(40)]
    assert all(math.isfinite(loss) for loss in losses)
    assert pyro.param("half_width").item() < 0.5
    assert losses[-1] < losses[0]


def test_a_categorical_can_be_enumerated():
    logits = torch.tensor([0.5, 0.0, -0.5, 0.2])
    observed = torch.tensor([0.2, 0.7])

    @config_enumerate
    def discrete():
        g = pyro.sample("g", GroupCategorical(Cyclic(4), logits))
        pyro.sample("x", dist.Normal(g @ POINT, 0.5).to_event(1), obs=observed)

    elbo = -TraceEnum_ELBO(max_plate_nesting=0).loss(discrete, lambda: None)
    elements = Cyclic(4).elements()
    likelihood = dist.Normal(elements @ POINT, 0.5).to_event(1).log_prob(observed)
    assert elbo == pytest.approx((logits.log_softmax(-1) + likelihood).logsumexp(-1).item(), abs=1e-5)
