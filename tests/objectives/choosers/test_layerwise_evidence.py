"""ELLA: precisions of two paths side by side follow the evidence, and say which one the examples determine."""

import copy

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives import LaplaceEvidence, Supervised, mse
from learnsym.objectives.choosers import registry
from learnsym.objectives.choosers.marginal_likelihood import CURVATURES, PRECISIONS
from learnsym.objectives.marginal_likelihood.diagonal import Diagonal
from learnsym.objectives.marginal_likelihood.kronecker import KroneckerAndDiagonal
from learnsym.objectives.marginal_likelihood.precisions import ByGradient, Kept, MacKay
from learnsym.relax import ConvMap, DenseMap, FactoredMap, GridPathway, SparsifiedConv

SIDE, COUNT = 4, 200


def planted(layer):
    """Images, and what a fixed layer makes of them, with noise."""
    torch.manual_seed(1)
    x = torch.randn(COUNT, 1, SIDE, SIDE)
    with torch.no_grad():
        return x, layer(x) + 0.3 * torch.randn(COUNT, 1, SIDE, SIDE)


def two_paths():
    torch.manual_seed(2)
    return nn.Sequential(GridPathway(DenseMap(1, 1, SIDE), ConvMap(1, 1, SIDE)))


def trained(data, objective, steps=100):
    net = two_paths()
    ls.training.fit(net, objective, [data], steps=steps, optimiser=ls.training.OptimiserConfig(lr=0.03))
    return net


def evidence(**options):
    return LaplaceEvidence(Supervised(mse), COUNT, batch=COUNT, every=4, **options)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [MacKay(), ByGradient()], ids=["mackay", "gradient"])
def test_a_convolution_switches_the_free_path_off_and_a_free_map_does_not(rule):
    shares = {}
    for kind in (ConvMap, DenseMap):
        torch.manual_seed(0)
        objective = evidence(precisions=rule)
        trained(planted(kind(1, 1, SIDE)), objective)
        (degree,) = ls.degrees(objective, root="loss")
        shares[kind] = degree.estimate
        assert degree.site == "layer:0" and degree.group == "translation2d" and degree.notion == "task"
        both = objective.path_dimensions()["0"]
        assert degree.estimate == pytest.approx(both["conv"] / (both["free"] + both["conv"]))
        precisions = objective.precisions()
        assert (precisions["0.free.weight"] > precisions["0.conv.weight"]) is (kind is ConvMap)
    assert shares[ConvMap] - shares[DenseMap] > 0.03


def test_precisions_that_are_kept_tell_the_two_less_apart():
    shares = []
    for kind in (ConvMap, DenseMap):
        torch.manual_seed(0)
        objective = evidence(precisions=Kept())
        trained(planted(kind(1, 1, SIDE)), objective)
        assert set(objective.precisions().values()) == {1.0}
        shares.append(ls.degrees(objective, root="loss")[0].estimate)
    assert abs(shares[0] - shares[1]) < 0.01


def test_degrees_are_in_the_state():
    objective = evidence(precisions=MacKay())
    trained(planted(ConvMap(1, 1, SIDE)), objective, steps=1)
    other = evidence()
    other.load_state_dict(copy.deepcopy(objective.state_dict()))
    assert ls.degrees(other, root="loss") == ls.degrees(objective, root="loss") != []
    assert ls.degrees(evidence(), root="loss") == []


def test_bandwidths_follow_the_evidence_and_not_the_task():
    torch.manual_seed(0)
    net = nn.Sequential(SparsifiedConv(1, 1, SIDE, learned_bandwidth=True))
    (bandwidth,) = net[0].over_kernel.parameters()
    x, y = planted(ConvMap(1, 1, SIDE))
    late, now = evidence(start=99), evidence()
    late(net, (x, y)).total.backward()
    assert bandwidth.grad is None and net[0].weight.grad is not None
    now(net, (x, y)).total.backward()
    assert bandwidth.grad.isfinite() and float(bandwidth.grad.abs()) > 0
    assert "0.over_kernel.log_bandwidth" not in now.precisions()


@pytest.mark.parametrize("form", [KroneckerAndDiagonal(), Diagonal()], ids=["norms", "diagonal"])
def test_other_curvatures_choose_too(form):
    torch.manual_seed(0)
    net = nn.Sequential(
        FactoredMap(1, 2, SIDE),
        nn.BatchNorm2d(2),
        nn.Flatten(),
        nn.Linear(2 * SIDE**2, SIDE**2),
        nn.Unflatten(1, (1, SIDE, SIDE)),
    )
    x, y = planted(ConvMap(1, 1, SIDE))
    objective = LaplaceEvidence(Supervised(mse), COUNT, batch=4, every=1, curvature=form)
    for _ in range(2):
        objective(net, (x, y)).total.backward()
    assert set(objective.precisions()) == {name for name, _ in net.named_parameters()}
    assert all(0 <= objective.effective_dimensions()[name] <= p.numel() for name, p in net.named_parameters())


@pytest.mark.parametrize("name", CURVATURES)
@pytest.mark.parametrize("rule", PRECISIONS)
def test_curvatures_and_rules_are_named_in_configurations(name, rule):
    chooser = registry["marginal_likelihood"](curvature=name, precisions=rule, precision=0.5)
    objective = chooser.over(Supervised(nn.functional.cross_entropy), None, steps=0, examples=6)
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    loss = objective(net, (torch.rand(6, 1, 2, 2), torch.arange(6) % 3))
    assert loss.parts["log_evidence"].isfinite()
    assert set(objective.precisions()) == {"1.weight", "1.bias"}
    assert (set(objective.precisions().values()) == {0.5}) is (rule == "kept")


def test_dense_maps_that_are_too_large_are_refused_in_the_first_step():
    net = nn.Sequential(DenseMap(5, 1, 32))
    with pytest.raises(ValueError, match=r"model: a dense map has images of 5120 numbers.*at most 4096"):
        evidence()(net, (torch.rand(2, 5, 32, 32), torch.rand(2, 1, 32, 32)))
