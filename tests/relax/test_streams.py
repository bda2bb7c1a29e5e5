"""Laws of streams: the mixture, its twins, its degrees, and the posterior over streams against exact sums."""

import copy
import itertools
import pickle

import jaxtyping
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import learnsym as ls
from learnsym.nets import CNN, InvariantCNN, OverScales
from learnsym.relax import Streams, stream_posterior

C4, D4 = ls.groups.Cyclic(4), ls.groups.Dihedral(4)


def make(names=("none", "C_4", "D_4"), prior=None):
    nets = {
        "none": CNN(1, 3, width=4, size=8, depth=1),
        "C_4": InvariantCNN(C4, 1, 3, fields=2, depth=2, pools=1, integrand=ls.equivariant.Monomials),
        "D_4": InvariantCNN(D4, 1, 3, fields=2, depth=2, pools=1),
    }
    return Streams({name: nets[name] for name in names}, prior).eval()


@pytest.fixture
def batch():
    return torch.rand(6, 1, 8, 8), torch.arange(6) % 3


def test_the_mixture_is_normalised_and_is_the_sum(batch):
    x, y = batch
    streams = make(prior=(1.0, 2.0, 3.0))
    found = streams(x)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(6))
    parts = [net(x).softmax(1) * weight for net, weight in zip(streams.nets, (1 / 6, 2 / 6, 3 / 6), strict=True)]
    torch.testing.assert_close(found.exp(), sum(parts))
    # so the cross-entropy of the outputs is the likelihood of the mixture
    mixture = torch.logsumexp(streams.log_likelihoods(x, y) + streams.log_weights(), 1)
    torch.testing.assert_close(F.cross_entropy(found, y), -mixture.mean())


def test_exact_is_the_most_trusted_symmetric_stream(batch):
    streams = make(prior=(6.0, 3.0, 1.0))
    assert float(streams.distance()) == pytest.approx(0.7)
    net = streams.exact()
    x = batch[0]
    torch.testing.assert_close(net(x), streams.nets[1](x))
    torch.testing.assert_close(net(x.rot90(1, (-2, -1))), net(x), atol=1e-5, rtol=1e-5)
    assert float(make(("C_4",)).distance()) == 0


def test_streams_of_one_group_are_invariant_in_double_precision(batch):
    x = batch[0].double()
    streams = make(("C_4", "D_4")).double()
    for turns in (1, 2, 3):
        assert float((streams(x.rot90(turns, (-2, -1))) - streams(x)).detach().abs().max()) <= 1e-10


def test_plain_twin_computes_the_same(batch):
    streams = make()
    plain = streams.plain().eval()
    torch.testing.assert_close(plain(batch[0]), streams(batch[0]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(pickle.loads(pickle.dumps(plain))(batch[0]), plain(batch[0]))


def test_gradient_reaches_every_parameter(batch):
    streams = make().train()
    F.cross_entropy(streams(batch[0]), batch[1]).backward()
    still = {name for name, p in streams.named_parameters() if p.grad is None or float(p.grad.abs().sum()) == 0}
    assert not still


def test_contract(batch, monkeypatch):
    x, y = batch
    streams = make()
    for twin in (copy.deepcopy(streams), pickle.loads(pickle.dumps(streams))):
        torch.testing.assert_close(twin(x), streams(x))
    assert list(streams.train().state_dict()) == list(streams.eval().state_dict())
    assert ls.relax.exact_twin(nn.Sequential(streams))[0](x).shape == (6, 3)
    parameters = dict(streams.named_parameters())

    def loss(values, one, label):
        return F.nll_loss(torch.func.functional_call(streams, values, (one[None],)), label[None])

    each = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(parameters, x, y)
    streams.zero_grad()
    F.nll_loss(streams(x), y, reduction="sum").backward()
    torch.testing.assert_close(each["logits"].sum(0), streams.logits.grad, atol=1e-5, rtol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert bool(streams(x).isfinite().all())
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    torch.testing.assert_close(torch.compile(streams, backend="eager", fullgraph=True)(x), streams(x))


def test_condition_finds_the_stream_that_predicts(batch):
    x, y = torch.rand(300, 1, 8, 8), torch.randint(3, (300,))
    streams = make(("none", "C_4"))
    streams.nets[1] = Knows()
    streams.nets[0] = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    x[:, 0, 0, 0] = y.float()
    assert ls.degrees(streams)[0].low is None
    posterior = streams.condition(x, y)
    none, c4 = ls.degrees(streams)
    assert c4.group == "C_4" and none.high < 0.1 and c4.low > 0.9 and c4.low <= c4.estimate <= c4.high
    assert float(posterior.single[1]) > 0.999
    loaded = make(("none", "C_4"))
    loaded.nets = streams.nets
    loaded.load_state_dict(streams.state_dict())
    assert str(ls.degrees(loaded)) == str(ls.degrees(streams))


class Knows(nn.Module):
    """Reads the class from the first pixel."""

    def forward(self, x):
        return 8 * F.one_hot(x[:, 0, 0, 0].round().long().clamp(0, 2), 3).float()


def test_posterior_against_sums_over_all_assignments():
    """With `z_n` the stream of example `n`: `E π_s = Σ_z p(z | D) (α_s + n_s(z)) / (Σ α + N)`."""
    values, alpha = torch.randn(7, 2, dtype=torch.float64), torch.tensor([1.0, 2.0], dtype=torch.float64)
    total, weighted = 0.0, torch.zeros(2, dtype=torch.float64)
    for z in itertools.product((0, 1), repeat=7):
        counts = alpha + torch.bincount(torch.tensor(z), minlength=2)
        p = torch.exp(sum(values[n, s] for n, s in enumerate(z)) + torch.lgamma(counts).sum())
        total, weighted = total + p, weighted + p * counts / counts.sum()
    posterior = stream_posterior(values, alpha, draws=20000)
    torch.testing.assert_close(posterior.mean, weighted / total, atol=0.01, rtol=0)
    single = (values.sum(0) + alpha.log()).softmax(0)
    torch.testing.assert_close(posterior.single, single)


def test_without_examples_to_tell_the_prior_stays():
    posterior = stream_posterior(torch.zeros(5, 3), torch.tensor([1.0, 2.0, 5.0]), draws=20000)
    torch.testing.assert_close(posterior.mean, torch.tensor([1.0, 2.0, 5.0]).double() / 8, atol=0.01, rtol=0)


def test_intervals_shrink_with_examples():
    values = torch.randn(400, 2)
    few, many = (stream_posterior(values[:n], torch.ones(2)).interval() for n in (10, 400))
    assert float(many[1][0] - many[0][0]) < float(few[1][0] - few[0][0])


@pytest.mark.parametrize("reduction", ["max", "mean"])
def test_over_scales(reduction):
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()
    layer = OverScales(net, (0.5, 1.0, 2.0), size=12, reduction=reduction).double()
    x = torch.rand(3, 2, 12, 12, dtype=torch.float64)
    torch.testing.assert_close(layer.copies(x)[:, 1], x)
    torch.testing.assert_close(layer.copies(x)[:, 2], enlarged(x, 2.0))
    torch.testing.assert_close(layer.plain()(x), layer(x), atol=1e-10, rtol=1e-10)


def enlarged(x, scale):
    return ls.actions.warp(x, scale * torch.eye(2, dtype=x.dtype).expand(len(x), 2, 2))


def test_scales_are_told_apart_less_than_by_the_net_alone():
    u = torch.linspace(-1, 1, 24, dtype=torch.float64)
    blob = (-((u[:, None] ** 2 + 2 * u**2) / 0.15)).exp()[None, None]
    net = nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()).double()
    layer = OverScales(net, [2 ** (k / 2) for k in range(-3, 4)], size=24).double()
    larger = enlarged(blob, 2**0.5)
    assert (layer(larger) - layer(blob)).norm() < 0.8 * (net(larger) - net(blob)).norm()


BAD = {
    "streams: got none": lambda: Streams({}),
    "prior": lambda: make(prior=(1.0, 1.0)),
    "none of which": lambda: make(("none",)).distance(),
    "log_likelihoods": lambda: stream_posterior(torch.full((2, 2), torch.nan), torch.ones(2)),
    "prior: got": lambda: stream_posterior(torch.zeros(2, 2), torch.zeros(2)),
    "scales": lambda: OverScales(nn.Identity(), (0.0,), 8),
    "reduction": lambda: OverScales(nn.Identity(), (1.0,), 8, "min"),
    "count": lambda: InvariantCNN(C4, 1, 3).pruned(2),
}


@pytest.mark.parametrize("word", BAD)
def test_bad_input_is_named(word):
    with pytest.raises(ValueError, match=word):
        BAD[word]()
