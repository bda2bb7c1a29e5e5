"""Objectives of structured batches: the losses of the same model and batch of one tensor."""

import pytest
import torch
import torch.nn.functional as F
from structured import FORMS, Structured
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, InstanceCategorical, equivariant
from learnsym.groups import Cyclic
from learnsym.objectives import (
    Augerino,
    Bilevel,
    Candidate,
    CoMoved,
    ConstantWeights,
    MovedExamples,
    OfBatch,
    Remul,
    Supervised,
    ValidationWeights,
    bank,
    cross_entropy,
)
from learnsym.objectives.terms import EntropyBand

BATCH = 6
ROTATION, TURNS, FLIP = map(ls.symmetry_by_name, ("rotation2d", "quarter_turns2d", "flip2d"))


def images():
    return torch.rand(BATCH, 1, 8, 8, dtype=torch.float64)


def labels():
    return torch.arange(BATCH) % 3


def classifier():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double()


def painter():
    return nn.Conv2d(1, 3, 3, padding=1).double()


def augmented(net, symmetry):
    return Augmented(net, symmetry, copies=2).double()


def instance_wise(net, symmetry):
    law = InstanceCategorical(Cyclic(4), nn.Sequential(nn.Flatten(), nn.Linear(64, 4)))
    return Augmented(net, symmetry, law, copies=2).double()


def alone(net, symmetry):
    return net


class Case:
    """An objective of a pair `(x, y)` and of symmetry `at`, with the model that it is for."""

    def __init__(self, objective, model=augmented, symmetry=ROTATION, net=classifier, y=labels):
        self.objective, self.model, self.symmetry, self.net, self.y = objective, model, symmetry, net, y


def banked(at, **options):
    return bank({"turns": at(TURNS), "flip": at(FLIP)}, **options)


def halves():
    return ConstantWeights(["turns", "flip"], 0.5)


CASES = {
    "supervised": Case(lambda at, form, x: Supervised(cross_entropy)),
    "supervised by key": Case(lambda at, form, x: Supervised(cross_entropy, form.output), alone),
    "augerino": Case(lambda at, form, x: Augerino(cross_entropy)),
    "augerino instance-wise": Case(lambda at, form, x: Augerino(cross_entropy), instance_wise, TURNS),
    "band": Case(
        lambda at, form, x: ls.objectives.Regularised(Supervised(cross_entropy), [EntropyBand(0.1, 0.2)]),
        instance_wise,
        TURNS,
    ),
    "bilevel": Case(lambda at, form, x: Bilevel(Augerino(cross_entropy), (x, labels()), batch_size=4)),
    "co-moved": Case(
        lambda at, form, x: CoMoved(cross_entropy, ls.actions.LabelMap(fill=0)),
        symmetry=equivariant(ROTATION),
        net=painter,
        y=lambda: torch.randint(3, (BATCH, 8, 8)),
    ),
    "moved examples": Case(lambda at, form, x: MovedExamples(cross_entropy, at(ROTATION)), alone),
    "remul": Case(lambda at, form, x: Remul(cross_entropy, Candidate(symmetry=at(TURNS))), alone),
    "remul anchored": Case(
        lambda at, form, x: Remul(cross_entropy, Candidate(symmetry=at(ROTATION), mode="anchored", samples=2)), alone
    ),
    "remul twirl": Case(
        lambda at, form, x: Remul(cross_entropy, Candidate(symmetry=at(ROTATION), mode="twirl", samples=2)), alone
    ),
    "remul bank": Case(
        lambda at, form, x: Remul(cross_entropy, banked(at, fraction=0.5), ConstantWeights(["turns", "flip"], 0.5)),
        alone,
    ),
    "remul of a pool": Case(
        lambda at, form, x: Remul(cross_entropy, Candidate(symmetry=at(TURNS), fraction=0.5), unlabelled=x), alone
    ),
}


def loss(case, form=None):
    """Value and gradients, with the same weights and draws for any form."""
    torch.manual_seed(0)
    x, y, net = images(), case.y(), case.net()
    at = (lambda symmetry: symmetry) if form is None else form.at
    if form is not None:
        x, net = form.wrap(x, torch.ones(BATCH, dtype=torch.float64)), Structured(net, form)
    torch.manual_seed(1)
    model = case.model(net, at(case.symmetry))
    objective = case.objective(at, form or FORMS["nested"], x)
    torch.manual_seed(2)
    found = objective(model, (x, y))
    found.total.backward()
    slopes = {name.replace("net.net.", "net."): p.grad for name, p in model.named_parameters()}
    return found, slopes


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", CASES)
def test_the_same_loss_of_a_structured_twin(name, form):
    found, slopes = loss(CASES[name], form)
    expected, wanted = loss(CASES[name])
    torch.testing.assert_close(found.total, expected.total)
    torch.testing.assert_close(found.parts, expected.parts)
    assert [*slopes.values()]
    for slope, other in zip(slopes.values(), wanted.values(), strict=True):
        torch.testing.assert_close(slope, other)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_weights_learn_from_held_out_structures(form):
    torch.manual_seed(0)
    x, y, net = images(), labels(), Structured(classifier(), form)
    data = form.wrap(x, torch.ones(BATCH, dtype=torch.float64)), y
    weighting = ValidationWeights(["C_4"], list(net.parameters()))
    objective = Remul(cross_entropy, Candidate(symmetry=form.at(TURNS)), weighting, held_out=data)
    objective(net.train(), data).total.backward()
    assert float(objective.weighting.products.abs().sum()) > 0


class OfPixels(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, inputs):
        return self.net(inputs["pixels"])


def test_batches_that_are_dicts():
    x, y, net = images(), labels(), classifier()
    expected = Supervised(F.cross_entropy)(net, (x, y)).total
    assert OfBatch(Supervised(F.cross_entropy), "pixels", "labels")(net, {"pixels": x, "labels": y}).total == expected
    several = OfBatch(Supervised(F.cross_entropy), ("pixels", "age"), "labels")
    batch = {"pixels": x, "age": torch.ones(BATCH), "labels": y}
    assert several(OfPixels(net), batch).total == expected
    nested = OfBatch(Supervised(F.cross_entropy), "0.pixels", "1")
    assert nested(net, ({"pixels": x}, y)).total == expected


def test_degrees_of_the_objective_within():
    weighting = ValidationWeights(["turns", "flip"], list(classifier().parameters()))
    objective = OfBatch(Remul(cross_entropy, banked(lambda symmetry: symmetry), weighting), "x", "y")
    assert [(d.site, d.generator) for d in ls.degrees(objective, root="loss")] == [("loss", "turns"), ("loss", "flip")]


@pytest.mark.parametrize("name", ["rotation2d", ["rotation2d", "flip2d"]])
def test_names_of_symmetries(name):
    symmetry = ls.as_symmetry(name)
    assert Augmented(classifier(), name).symmetry == symmetry
    assert Candidate(symmetry=name).symmetry == symmetry
    assert bank({"it": name})["it"].symmetry == symmetry
    assert MovedExamples(cross_entropy, name).task.moves.symmetry == symmetry


FORM = FORMS["tuple to dict"]


def data(x, y):
    return FORM.wrap(x, torch.ones(BATCH, dtype=torch.float64)), y


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x, y, net: Supervised(cross_entropy)(Structured(net, FORM), data(x, y)),
            "output: the model returns a dict with keys hidden, scores, of which the loss takes one tensor; name it",
        ),
        (
            lambda x, y, net: Supervised(cross_entropy, "logits")(Structured(net, FORM), data(x, y)),
            "output: got 'logits', but there is a dict with keys hidden, scores",
        ),
        (
            lambda x, y, net: OfBatch(Supervised(cross_entropy), "images", "labels")(net, {"pixels": x, "labels": y}),
            "inputs: got 'images', but there is a dict with keys pixels, labels; name one",
        ),
        (
            lambda x, y, net: OfBatch(Supervised(cross_entropy), "0", "labels")(net, (x, y)),
            "targets: got 'labels', but there is a tuple with parts 0, 1",
        ),
        (
            lambda x, y, net: Remul(
                cross_entropy, {"a": Candidate(symmetry=TURNS), "b": Candidate(symmetry=FLIP.at("", "y"))}
            ),
            r"candidates: are about different outputs \('', 'y'\)",
        ),
        (
            lambda x, y, net: Bilevel(Supervised(cross_entropy), ({"x": x.to(torch.uint8)}, y)),
            "held_out: got inputs of torch.uint8, must be floating",
        ),
    ],
)
def test_what_is_not_said_is_asked_for(call, message):
    with pytest.raises(ValueError, match=message):
        call(images(), labels(), classifier())
