"""The average over copies follows the loss: every usual loss trains a wrapped network as it does the network alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, InstanceBox, OrbitAveraged, mean_log_probabilities, mean_probabilities
from learnsym.objectives import Augerino, MovedExamples, Remul, Supervised, cross_entropy, mse

ROTATION, QUARTERS = ls.symmetry.rotation2d(), ls.symmetry.quarter_turns2d()


def linear(outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))


def instance_wise(net):
    return Augmented(net, ROTATION, InstanceBox(ROTATION.group, linear(1)))


WRAPPED = {
    "augmented": lambda net: Augmented(net, ROTATION, copies=2),
    "over a finite group": lambda net: Augmented(net, QUARTERS),
    "orbit": lambda net: OrbitAveraged(net, QUARTERS),
    "instance-wise": instance_wise,
}
BINARY = (torch.arange(8) % 2).float()
REGRESSIONS = {
    "one column": (lambda: linear(1), mse, torch.full((8, 1), 5.0)),
    "three columns": (lambda: linear(3), mse, torch.full((8, 3), 5.0)),
    "l1": (lambda: linear(1), F.l1_loss, torch.full((8, 1), 2.0)),
    "huber": (lambda: linear(2), nn.HuberLoss(), torch.full((8, 2), 2.0)),
    "own": (lambda: linear(1), lambda o, y: (o.squeeze(1) - y).square().mean(), torch.full((8,), 3.0)),
    "one logit": (lambda: linear(1), F.binary_cross_entropy_with_logits, BINARY[:, None]),
    "image": (lambda: nn.Conv2d(1, 1, 3, padding=1), mse, torch.full((8, 1, 8, 8), 0.8)),
    "classes": (lambda: linear(3), F.cross_entropy, torch.arange(8) % 3),
    "log-probabilities": (lambda: nn.Sequential(linear(3), nn.LogSoftmax(1)), F.nll_loss, torch.arange(8) % 3),
}


def examples():
    """Two kinds of images that no turn makes alike: dark and bright."""
    return torch.rand(8, 1, 8, 8) * 0.2 + 0.6 * BINARY[:, None, None, None]


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED.keys())
@pytest.mark.parametrize("name", REGRESSIONS)
def test_every_usual_loss_falls(name, wrap):
    make, loss, y = REGRESSIONS[name]
    torch.manual_seed(0)
    model, objective, x = wrap(make()), Augerino(loss), examples()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    start = loss(model.eval()(x), y).item()
    model.train()
    for _ in range(25):
        optimiser.zero_grad()
        objective(model, (x, y)).total.backward()
        optimiser.step()
    outputs = model.eval()(x)
    assert loss(outputs, y).item() < (0.98 if "logit" in name or "class" in name or "log" in name else 0.8) * start
    assert outputs.abs().max() > 0


def test_for_cross_entropy_the_mean_of_outputs_is_the_mean_of_log_probabilities():
    net, x, y = linear(5), examples(), torch.arange(8) % 5
    one, two = OrbitAveraged(net, QUARTERS), OrbitAveraged(net, QUARTERS, average=mean_log_probabilities)
    torch.testing.assert_close(cross_entropy(one(x), y), cross_entropy(two(x), y))
    torch.testing.assert_close(one(x).softmax(1), two(x).softmax(1))


@pytest.mark.parametrize("average", [mean_log_probabilities, mean_probabilities])
@pytest.mark.parametrize("net", [linear(1), nn.Conv2d(1, 1, 3), nn.Sequential(linear(1), nn.Flatten(0))])
def test_probabilities_of_one_column_are_refused(average, net):
    for model in (Augmented(net, ROTATION, average=average), OrbitAveraged(net, QUARTERS, average=average)):
        with pytest.raises(ValueError, match=r"^average: .* give average=mean_outputs$"):
            model(examples())


@pytest.mark.parametrize("average", [mean_log_probabilities, mean_probabilities])
@pytest.mark.parametrize("loss", [mse, F.mse_loss, F.l1_loss, nn.SmoothL1Loss(), F.binary_cross_entropy_with_logits])
def test_probabilities_of_classes_are_refused_under_a_loss_of_numbers(average, loss):
    model, batch = Augmented(linear(3), QUARTERS, average=average), (examples(), torch.rand(8, 3))
    candidate = ls.objectives.Candidate(symmetry=QUARTERS)
    for objective in (Supervised(loss), Augerino(loss), Remul(loss, candidate), MovedExamples(loss, QUARTERS)):
        with pytest.raises(ValueError, match=r"^average: .* give average=mean_outputs$"):
            objective(model, batch)


def test_logits_are_refused_where_log_probabilities_are_needed():
    batch = examples(), torch.arange(8) % 3
    for loss in (F.nll_loss, nn.NLLLoss()):
        with pytest.raises(ValueError, match=r"^average: .* give average=mean_log_probabilities"):
            Augerino(loss)(Augmented(linear(3), ROTATION), batch)
        model = Augmented(linear(3), ROTATION, average=mean_log_probabilities)
        assert Augerino(loss)(model, batch).total.isfinite()
