"""Approximately equivariant processes: exact outside of the box, dropping in training alone, and what they report."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

import learnsym as ls
from learnsym.relax.processes import ApproximateProcess, FixedFunctions, WithCoordinates
from learnsym.relax.processes.approximate import REMEMBERED
from tests.process_cases import DIMS, EQUIVARIANT, EXTRAS, made, tasks


def _relaxed(name: str, drop: float = 0.5, low: float = -2.0, high: float = 2.0) -> ApproximateProcess:
    net = made(name, EXTRAS)
    functions = FixedFunctions(DIMS.get(name, 1), EXTRAS, low, high).double()
    return ApproximateProcess(net, functions, drop).eval()


def _shifted(x: dict[str, torch.Tensor], by: float) -> dict[str, torch.Tensor]:
    return {**x, "locations": x["locations"] + by}


@pytest.mark.parametrize("name", EQUIVARIANT)
def test_outside_of_the_box_it_is_the_exact_process_and_inside_it_is_not(name):
    net, x = _relaxed(name), tasks(name).inputs()
    assert torch.equal(net(_shifted(x, 30)), net.exact()(_shifted(x, 30)))
    assert float((net(x) - net.exact()(x)).detach().abs().max()) > 1e-4
    torch.testing.assert_close(net.exact()(x), net.exact()(_shifted(x, 30)), rtol=0, atol=1e-10)


def test_functions_are_exactly_zero_on_the_border_and_beyond():
    t = FixedFunctions(2, 4, -1.0, 2.0)
    x = torch.tensor([[[0.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [1.9, 1.9], [2.1, 0.0], [1e30, 1e30]]])
    assert t(x).abs().sum(-1).bool().tolist() == [[True, False, False, True, False, False]]
    t(x).sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in t.parameters())


@pytest.mark.parametrize("name", ["conv 1d", "tnp 1d"])
def test_all_inputs_of_a_task_are_dropped_together_in_training_and_never_in_evaluation(name):
    net, x = _relaxed(name), tasks(name, count=40).inputs()
    on, off = net(x), net.exact()(x)
    assert all(torch.equal(net(x), on) for _ in range(5))
    torch.manual_seed(0)
    trained = net.train()(x)
    dropped = (trained - off).abs().amax((1, 2)) < 1e-12
    kept = (trained - on).abs().amax((1, 2)) < 1e-12
    assert bool((dropped ^ kept).all()) and 8 < int(dropped.sum()) < 32
    assert torch.equal(net.eval()(x), on)


def test_without_dropping_training_is_evaluation():
    net, x = _relaxed("conv 1d", drop=0.0), tasks("conv 1d").inputs()
    assert torch.equal(net.train()(x), net.eval()(x))


def test_the_deviation_is_its_definition_with_an_interval_over_tasks():
    net, x = _relaxed("conv 1d"), tasks("conv 1d", count=20).inputs()
    with torch.no_grad():
        mean, without = net(x)[..., :1], net.exact()(x)[..., :1]
    a, b = (mean - without).abs().mean((1, 2)), mean.abs().mean((1, 2))
    found = net.deviation(x)
    assert found.mean == pytest.approx(float(a.sum() / b.sum())) and found.mean > 0.01
    residual = a - found.mean * b
    assert found.stderr == pytest.approx(float(residual.std() / b.mean() / 20**0.5), rel=1e-6)
    with torch.no_grad():
        for weight in net.functions.parameters():
            weight.zero_()
    assert net.deviation(x).mean == 0.0


def test_degrees_are_those_of_the_tasks_that_were_seen():
    net, x = _relaxed("conv 1d"), tasks("conv 1d", count=20).inputs()
    (before,) = ls.degrees(net)
    assert before.status == "not converged" and "no two training tasks" in before.reason
    net.train()
    for number in range(20):
        net({key: tensor[number : number + 1] for key, tensor in x.items()})
    (degree,) = ls.degrees(net.eval())
    expected = net.deviation(x)
    assert degree.estimate == pytest.approx(expected.mean, rel=1e-4)
    assert degree.low is not None and degree.high is not None
    assert degree.low < degree.estimate < degree.high and degree.group == "translation1d"
    with torch.no_grad():
        net(x)
    assert int(net.looked) == 20


def test_only_the_last_tasks_count():
    net, x = _relaxed("tnp 1d"), tasks("tnp 1d", count=1).inputs()
    net.train()
    net(x)
    with torch.no_grad():
        net.looked.fill_(REMEMBERED + 1)
        for weight in net.functions.parameters():
            weight.zero_()
        before = net.deviations.clone()
        net(x)
    changed = (net.deviations != before).nonzero().flatten().tolist()
    assert changed in ([], [1]) and float(net.deviations[0]) > 0 and int(net.looked) == REMEMBERED + 2


def test_coordinates_break_translations_everywhere():
    net, x = WithCoordinates(made("conv 1d", 1), 2.0), tasks("conv 1d").inputs()
    for far in (3.0, 30.0):
        assert float((net(x) - net(_shifted(x, far))).detach().abs().max()) > 1e-3


def test_copies_states_and_dtypes():
    net, x = _relaxed("steerable"), tasks("steerable").inputs()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(other(x), net(x))
    fresh = _relaxed("steerable")
    with torch.no_grad():
        for weight in fresh.functions.parameters():
            weight.normal_()
    fresh.load_state_dict(net.state_dict())
    assert torch.equal(fresh(x), net(x))
    single = copy.deepcopy(net).float()
    small = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in x.items()}
    torch.testing.assert_close(single(small).double(), net(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedFunctions(1, 0, -2.0, 2.0), "count: got 0, must be >= 1"),
        (lambda: FixedFunctions(1, 2, 2.0, 2.0), "low, high: got 2.0, 2.0"),
        (lambda: FixedFunctions(1, 2, -2.0, float("inf")), "low, high: got -2.0, inf"),
        (
            lambda: ApproximateProcess(made("conv 1d"), FixedFunctions(1, 2, -2.0, 2.0)),
            "net: got a ConvCNP without extra",
        ),
        (
            lambda: ApproximateProcess(made("conv 1d", 3), FixedFunctions(1, 2, -2.0, 2.0)),
            "functions: got 2 for a network of 3",
        ),
        (
            lambda: ApproximateProcess(made("conv 1d", 2), FixedFunctions(1, 2, -2.0, 2.0), drop=1.0),
            "drop: got 1.0, must lie in",
        ),
        (lambda: WithCoordinates(made("tnp free")), "net: got a TNP without extra inputs"),
        (lambda: WithCoordinates(made("conv 1d", 1), 0.0), "scale: got 0.0, must be positive"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
