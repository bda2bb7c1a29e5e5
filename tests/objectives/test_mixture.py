"""Laws of the likelihood of a mixture of streams."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from learnsym.objectives import MixtureLikelihood
from learnsym.relax import Streams


def make(prior=None):
    return Streams({name: nn.Linear(4, 3) for name in ("none", "C_2")}, prior)


BATCH = torch.randn(6, 4), torch.arange(6) % 3


def test_parts_add_up_to_the_likelihood_and_the_prior():
    streams = make((2.0, 3.0))
    loss = MixtureLikelihood(examples=10, own=0.5)(streams, BATCH)
    x, y = BATCH
    assert set(loss.parts) == {"task", "prior", "streams"}
    torch.testing.assert_close(loss.parts["task"], F.cross_entropy(streams(x), y).detach())
    own = sum(F.cross_entropy(net(x), y) for net in streams.nets)
    torch.testing.assert_close(loss.parts["streams"], own.detach())
    dirichlet = torch.distributions.Dirichlet(streams.prior).log_prob(streams.log_weights().exp())
    uniform = torch.distributions.Dirichlet(streams.prior).log_prob(torch.tensor([0.5, 0.5]))
    change = -(dirichlet - uniform) / 10
    even = make((2.0, 3.0))
    even.logits.data.zero_()
    before = MixtureLikelihood(examples=10)(even, BATCH).parts["prior"]
    torch.testing.assert_close(loss.parts["prior"] - before, change.detach(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        loss.total.detach(), loss.parts["task"] + loss.parts["prior"] + 0.5 * loss.parts["streams"]
    )


def test_weights_go_to_the_stream_that_predicts():
    streams, y = Streams({"none": nn.Linear(3, 3), "C_2": nn.Identity()}), BATCH[1]
    inputs = 4 * F.one_hot(y, 3).float()
    optimiser = torch.optim.Adam([streams.logits], lr=0.1)
    for _ in range(100):
        optimiser.zero_grad()
        MixtureLikelihood(examples=6, own=0.0)(streams, (inputs, y)).total.backward()
        optimiser.step()
    assert float(streams.log_weights().exp()[1]) > 0.95


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="examples"):
        MixtureLikelihood(0)
    with pytest.raises(ValueError, match="weight"):
        MixtureLikelihood(5, own=-1.0)
    with pytest.raises(ValueError, match="model"):
        MixtureLikelihood(5)(nn.Linear(4, 3), BATCH)
