"""The marginal likelihood as chooser: laws follow the evidence, precisions are MacKay's, weights follow the task."""

import copy

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives import LaplaceEvidence, Supervised
from learnsym.objectives.choosers import registry
from learnsym.objectives.marginal_likelihood.kronecker import Kronecker
from learnsym.objectives.marginal_likelihood.precisions import MacKay
from learnsym.objectives.moved_examples import MovedExamples

TASK = Supervised(nn.functional.cross_entropy)


def model():
    torch.manual_seed(0)
    return ls.augment.Augmented(ls.nets.CNN(1, 3, width=2, size=8, depth=1), "rotation2d")


def batch(count=12):
    torch.manual_seed(1)
    return torch.rand(count, 1, 8, 8), torch.arange(count) % 3


def test_weights_follow_the_task_with_its_prior_and_laws_do_not():
    net, objective = model(), LaplaceEvidence(TASK, 12, start=99, precisions=MacKay(2.0))
    torch.manual_seed(3)
    loss = objective(net, batch())
    torch.manual_seed(3)
    task = TASK(net, batch()).total
    weights = dict(net.net.named_parameters())
    held = list(Kronecker().held(net.net, weights).values())
    assert len(held) == 3, "scales and shifts of normalisations are not held"
    prior = 2.0 * sum(float(w.detach().square().sum()) for w in held) / (2 * 12)
    assert float(loss.total) == pytest.approx(float(task) + prior, rel=1e-5)
    loss.total.backward()
    assert net.distribution.width.raw.grad is None and all(w.grad is not None for w in held)


def test_a_look_gives_laws_a_gradient_and_changes_no_value():
    net, objective = model(), LaplaceEvidence(TASK, 12)
    loss = objective(net, batch())
    loss.total.backward()
    assert net.distribution.width.raw.grad.abs().sum() > 0
    assert set(loss.parts) == {"task", "prior", "log_evidence"}
    assert float(loss.total.detach()) == pytest.approx(float(loss.parts["task"] + loss.parts["prior"]), rel=1e-5)
    dimensions, precisions = objective.effective_dimensions(), objective.precisions()
    for name, weight in net.named_parameters():
        if name in dimensions:
            assert 0 <= dimensions[name] <= weight.numel()
            expected = dimensions[name] / float(weight.detach().square().sum().clamp(min=1e-6))
            assert precisions[name] == pytest.approx(max(expected, 1e-6), rel=1e-4)
    assert set(dimensions) == {"net.features.0.0.weight", "net.head.weight", "net.head.bias"}


def test_the_noise_of_numbers_is_fitted():
    torch.manual_seed(0)
    x = torch.randn(400, 3)
    y = x @ torch.tensor([[1.0], [2.0], [-1.0]]) + 0.1 * torch.randn(400, 1)
    net, objective = nn.Linear(3, 1), LaplaceEvidence(Supervised(ls.objectives.mse), 400, batch=400, every=1)
    ls.training.fit(net, objective, [(x, y)], steps=300, optimiser=ls.training.OptimiserConfig(lr=0.05))
    assert float(objective.kept["variance"]) == pytest.approx(0.01, rel=0.2)
    assert objective.effective_dimensions()["weight"] == pytest.approx(3, abs=0.1)


def test_what_it_found_is_in_its_state():
    net, objective = model(), LaplaceEvidence(TASK, 12, every=1)
    objective(net, batch())
    other = LaplaceEvidence(TASK, 12, every=1)
    other.load_state_dict(copy.deepcopy(objective.state_dict()))
    assert other.precisions() == objective.precisions() and int(other.seen) == 1


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Supervised(nn.functional.l1_loss), "loss: got l1_loss, which is no negative log likelihood"),
        (MovedExamples(nn.functional.mse_loss, ls.symmetry_by_name("so3")), "which is no negative log likelihood"),
    ],
    ids=["l1", "moved"],
)
def test_losses_without_a_likelihood_are_refused(task, message):
    if isinstance(task, MovedExamples):
        task.loss_fn = nn.functional.l1_loss
    with pytest.raises(ValueError, match=message):
        registry["marginal_likelihood"]().over(task, None)


def test_numbers_of_any_shape_are_taken_and_label_maps_refused():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1))
    objective = LaplaceEvidence(Supervised(ls.objectives.mse), 12)
    found = objective(net, (torch.rand(6, 1, 4, 4), torch.rand(6, 2, 4, 4)))
    assert found.parts["log_evidence"].isfinite()
    with pytest.raises(ValueError, match="targets: got labels of shape"):
        LaplaceEvidence(TASK, 12)(net, (torch.rand(6, 1, 4, 4), torch.ones(6, 4, 4, dtype=torch.long)))


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr("learnsym.objectives.choosers.marginal_likelihood.processes", lambda: 2)
    with pytest.raises(ValueError, match="marginal_likelihood in several processes"):
        LaplaceEvidence(TASK, 12)


def test_copies_of_a_model_that_has_none_are_refused():
    objective = LaplaceEvidence(TASK, 12, copies=3)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(ValueError, match="copies: got 3, but Sequential averages over no copies"):
        objective(net, batch())


@pytest.mark.slow
@pytest.mark.parametrize(("planted", "low", "high"), [(0.0, 0.0, 25.0), (90.0, 60.0, 115.0)])
def test_digits_are_turned_as_far_as_they_were(planted, low, high):
    config = ls.training.RunConfig(
        data=ls.data.DataConfig(
            name="digits", size=12, train=600, val=50, test=50, plant=ls.data.PlantConfig(rotation=planted)
        ),
        net=ls.nets.NetConfig(name="cnn", width=8, depth=2),
        method=ls.methods.registry["augerino"](symmetry="rotation2d", init=0.15),
        chooser=registry["marginal_likelihood"](),
        optimiser=ls.training.OptimiserConfig(lr=5e-3, symmetry_lr=0.1),
        train=ls.training.TrainConfig(steps=400, batch_size=50, threads=1),
    )
    net, objective, splits = ls.training.build(config)
    batches = ls.data.Batches(splits.train, 50, 0, torch.device("cpu"))
    ls.training.fit(net, objective, batches, optimiser=config.optimiser, train=config.train)
    (turn,) = ls.degrees(net)
    assert low <= turn.estimate <= high
