"""A network of several inputs whose output is a part of what it returns: trained, evaluated and measured."""

from collections import namedtuple

import pytest
import torch
from structured import Out
from torch import nn
from torch.utils.data import DataLoader, StackDataset

import learnsym as ls
from learnsym import measure, training
from learnsym.nets.sources import SeveralInputs
from learnsym.objectives import Augerino, OfBatch, Supervised, cross_entropy
from learnsym.training.evaluate import evaluate, predict

COUNT = 64
SYMMETRY = ls.symmetry_by_name("rotation2d").at(input="image", output="logits")
Batch = namedtuple("Batch", "inputs targets")


class Net(nn.Module):
    """A disc or a ring, of the class that the side says: neither image nor side alone tells it."""

    def __init__(self):
        super().__init__()
        self.seen = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(17, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, image, side):
        hidden = torch.cat([self.seen(image), side[:, None]], 1)
        return Out(self.head(hidden), hidden)


def data(count=COUNT):
    generator = torch.Generator().manual_seed(0)
    axis = torch.linspace(-1, 1, 8)
    radius = (axis[:, None].square() + axis.square()).sqrt()
    kind, side = torch.randint(2, (2, count), generator=generator)
    image = torch.where(kind[:, None, None] == 1, (radius - 0.8).abs() < 0.3, radius < 0.5).float()
    noise = 0.1 * torch.randn(image.shape, generator=generator)
    return {"image": (image + noise)[:, None], "side": side.float()}, (kind + side) % 2


def dataset():
    return ls.data.Dataset(*data(), "discs and rings", classes=2)


def model():
    torch.manual_seed(0)
    return ls.augment.Augmented(SeveralInputs(Net()), SYMMETRY, copies=2)


def stopped(trained):
    raise InterruptedError


def test_train_evaluate_and_measure(tmp_path):
    trained, batches = model(), ls.data.Batches(dataset(), 32, seed=1)
    run = training.Run.new(tmp_path / "run")
    rates = training.OptimiserConfig(lr=0.01)
    history = training.fit(trained, Augerino(cross_entropy), batches, steps=60, optimiser=rates, run=run)
    assert len(history.losses) == 60
    assert evaluate(trained, dataset(), cross_entropy)["accuracy"] > 0.95
    assert [degree.generator for degree in ls.degrees(trained)] == ["rotation"]
    x, y = data()
    for each in (trained, trained.net):
        error = measure.equivariance_error(each, x, SYMMETRY)
        assert 0 < error.mean < 1
        assert measure.twirl(each, x, y, SYMMETRY, "cross_entropy").total.mean < 1
    assert measure.local_equivariance_error(trained.net, x, SYMMETRY)["rotation"].relative.mean > 0


def test_a_structured_fit_resumes(tmp_path):
    def fitted(run, validate):
        trained, batches = model(), ls.data.Batches(dataset(), 16)
        settings = training.TrainConfig(eval_every=4, checkpoint_every=2)
        training.fit(trained, Augerino(cross_entropy), batches, steps=8, train=settings, run=run, validate=validate)
        return trained.state_dict()

    with pytest.raises(InterruptedError):
        fitted(training.Run.new(tmp_path / "run"), stopped)
    resumed = fitted(training.Run.new(tmp_path / "run"), lambda trained: {})
    torch.testing.assert_close(resumed, fitted(None, lambda trained: {}))


@pytest.mark.parametrize("kind", ["dicts", "named tuples"])
def test_batches_of_a_loader(kind):
    (x, y), trained = data(), model()
    examples = StackDataset(**x, label=y)
    loader = DataLoader(examples, batch_size=16, shuffle=True)
    objective = OfBatch(Augerino(cross_entropy), ("image", "side"), "label")
    if kind == "named tuples":
        loader = [Batch({name: x[name][:16] for name in x}, y[:16])]
        objective = OfBatch(Augerino(cross_entropy), "inputs", "targets")
    assert len(training.fit(trained, objective, loader, steps=6).losses) == 6


def test_a_plain_twin_is_predicted_by_the_same_key():
    x, y = data()
    net = SeveralInputs(Net())
    outputs = predict(net, x, batch_size=10, output="logits")
    torch.testing.assert_close(outputs, predict(ls.augment.Plain(net, "logits"), x))
    loss = Supervised(cross_entropy, "logits")(net, (x, y)).total
    assert evaluate(net, dataset(), cross_entropy, "logits")["task"] == pytest.approx(loss.item(), rel=1e-4)
    with pytest.raises(ValueError, match="the model returns a Out with parts logits, hidden, of which the loss takes"):
        predict(net, x)
