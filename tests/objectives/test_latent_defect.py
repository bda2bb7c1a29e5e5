"""The defect of the features of a layer: 0 for equivariant ones, against its formula, and learned away by training."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives import LatentDefect, Regularised, Supervised, mse

C4 = ls.groups.Cyclic(4)
TURNS = ls.Symmetry(C4, ls.actions.Image(), ls.actions.Image())
FEATURES = ls.Symmetry(C4, ls.actions.Image(), ls.actions.Invariant())


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 2)).double()


def test_equivariant_layers_have_none_and_others_some():
    model, x = net(), torch.rand(8, 1, 6, 6, dtype=torch.float64)
    term = LatentDefect(TURNS, "1", samples=3)
    assert float(term(model, x).total.detach()) > 1e-4
    with torch.no_grad():
        weight = model[0].weight
        weight.copy_(torch.stack([weight.rot90(k, (2, 3)) for k in range(4)]).mean(0))
    assert float(term(model, x).total.detach()) < 1e-25
    assert float(LatentDefect(FEATURES, "3")(model, x).total.detach()) > 1e-4  # the head is not invariant


def test_it_is_the_mean_square_along_the_orbit():
    """Over all of many samples, against the mean over the four turns."""
    model, x = net(), torch.rand(4, 1, 6, 6, dtype=torch.float64)
    found = float(LatentDefect(TURNS, "0", weight=2.0, samples=4000)(model, x[:1]).total.detach())
    exact = [(model[0](x[:1].rot90(k, (2, 3))) - model[0](x[:1]).rot90(k, (2, 3))).square().mean() for k in range(4)]
    assert found == pytest.approx(2 * float(torch.stack(exact).mean().detach()), rel=0.1)


def test_its_gradient_stays_below_the_layer():
    model, x = net(), torch.rand(4, 1, 6, 6, dtype=torch.float64)
    LatentDefect(TURNS, "0", samples=3)(model, x).total.backward()
    assert bool(model[0].weight.grad.any()) and model[3].weight.grad is None


def test_training_lowers_it_beside_the_task():
    x, y = torch.rand(16, 1, 6, 6, dtype=torch.float64), torch.rand(16, 2, dtype=torch.float64)
    ends = {}
    for weight in (0.0, 10.0):
        model = net()
        term = LatentDefect(TURNS, "0", weight=weight)
        options = ls.training.OptimiserConfig(lr=0.05, schedule="constant")
        ls.training.fit(model, Regularised(Supervised(mse), [term]), [(x, y)], steps=20, optimiser=options)
        ends[weight] = float(LatentDefect(TURNS, "0", samples=8)(model, x).total.detach())
    assert ends[10.0] < 0.3 * ends[0.0]


@pytest.mark.parametrize(
    ("layer", "message"),
    [("9", r"^layer: got '9', which the model has not"), ("1", r"^layer: '1' returned Tensor, Tensor in one pass")],
)
def test_layers_that_have_no_one_feature_are_refused(layer, message):
    relu = nn.ReLU()
    with pytest.raises(ValueError, match=message):
        LatentDefect(FEATURES, layer)(nn.Sequential(nn.Flatten(), relu, relu), torch.rand(2, 1, 6, 6))


def test_weights_are_not_negative():
    with pytest.raises(ValueError, match=r"^weight: got -1"):
        LatentDefect(TURNS, "0", weight=-1.0)
