"""A likelihood at any degrees follows from outputs that were computed once; real digits say none and full."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

import learnsym as ls
from learnsym.posterior import degree_posterior, held_out_likelihood

ROTATION = ls.symmetry_by_name("rotation2d")


class Angle(nn.Module):
    """Reads the angle of a vector in the plane and says that class 1 has probability `cos² (angle / 2)`."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        cosine = x[:, 0] / x.norm(dim=1)
        chance = ((1 + cosine) / 2).clamp(1e-6, 1 - 1e-6)
        return torch.stack([1 - chance, chance], 1).log()


def _vectors(count: int) -> tuple[ls.Symmetry, Tensor, Tensor]:
    symmetry = ls.Symmetry(ls.groups.SO2(), on_input=ls.actions.PointCloud(dim=2))
    return symmetry, torch.tensor([[1.0, 0.0]]).expand(count, 2).contiguous(), torch.ones(count, dtype=torch.long)


def test_an_average_over_any_range_is_that_of_the_integral():
    net, likelihood = _angles()
    for degrees in (0.0, 20.0, 75.0, 180.0):
        t = math.radians(degrees)
        exact = 0.5 + (math.sin(t) / t if t else 1.0) / 2
        assert likelihood.at(rotation=degrees).exp().mean().item() == pytest.approx(exact, abs=2e-3)
    before = net.calls
    likelihood(torch.rand(50, 1).double())
    assert net.calls == before


def _angles():
    symmetry, x, y = _vectors(30)
    net = Angle()

    class OfPoints(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return net(x.flatten(1))

    return net, held_out_likelihood(OfPoints(), x[:, None], y, symmetry)


def test_names_and_ranges_of_degrees_are_checked():
    _, likelihood = _angles()
    with pytest.raises(ValueError, match="must lie between 0 and its cap, 180"):
        likelihood.at(rotation=200.0)
    with pytest.raises(ValueError, match="degrees: got shear, must be among rotation"):
        likelihood.at(shear=1.0)


def _net() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


@cache
def _trained(planted: float) -> tuple[nn.Module, Tensor, Tensor]:
    """A small network on digits turned by up to so many degrees, and held-out ones."""
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float().reshape(-1, 1, 8, 8), torch.tensor(labels)
    if planted:
        x = ROTATION.on_input(ROTATION.group.exp(planted * math.pi / 180 * (2 * torch.rand(len(x), 1) - 1)), x)
    net = _net()
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(300):
        index = torch.randint(1000, (64,))
        optimiser.zero_grad()
        F.cross_entropy(net(x[index]), y[index]).backward()
        optimiser.step()
    return net, x[1000:1300], y[1000:1300]


def test_upright_digits_say_none_and_turned_ones_full():
    upright = degree_posterior(*_split(_trained(0.0)), "rotation2d")
    turned = degree_posterior(*_split(_trained(180.0)), "rotation2d")
    assert upright.none()["rotation"] > 0.8 and upright.full()["rotation"] < 1e-3
    assert turned.none()["rotation"] < 1e-3 and turned.interval("rotation").ends[1] > 170


def _split(trained):
    net, x, y = trained
    return net, (x, y)


@pytest.mark.slow
def test_of_several_generators_those_that_hold_are_told(monkeypatch):
    monkeypatch.setattr("learnsym.posterior.infer.ROUNDS", 1)
    net, x, y = _trained(180.0)
    posterior = degree_posterior(net, (x[:150], y[:150]), "se2", copies=250)
    assert posterior.interval("rotation").ends[0] > 10
    assert posterior.interval("translation_x").ends[1] < 0.2
    assert posterior.diagnostics.copies > 8


def test_an_augmented_network_brings_its_symmetry_and_a_dataset_its_targets():
    net, x, y = _trained(0.0)
    model = ls.augment.Augmented(net, "rotation2d")
    data = ls.data.Dataset(x, y, classes=10)
    assert ls.degrees(degree_posterior(model, data)) == ls.degrees(degree_posterior(net, (x, y), "rotation2d"))
    assert not any(p.grad_fn for p in net.parameters()) and model.training


def test_numbers_are_told_by_their_error(caplog):
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    x = torch.randn(40, 1, 8, 8)
    with caplog.at_level("INFO"):
        posterior = degree_posterior(net, (x, net(x).detach()[:, 0] + 0.1 * torch.randn(40)), "flip2d")
    assert posterior.none()["other elements"] > 0.9
    assert "mean squared error" in caplog.text


@pytest.mark.parametrize(
    ("count", "symmetry", "y", "said"),
    [
        (7, "rotation2d", None, "got 7 held-out examples with 7 targets, must be as many and at least 20"),
        (30, None, None, "symmetry: got None for a network that names none"),
        (30, "rotation2d", torch.zeros(30, 0), "data: has no targets"),
        (30, "rotation2d", torch.zeros(30, 4, dtype=torch.long), "likelihood: got outputs"),
    ],
)
def test_refuses_examples_that_say_nothing(count, symmetry, y, said):
    x = torch.rand(count, 1, 8, 8)
    with pytest.raises(ValueError, match=said):
        degree_posterior(_net(), (x, torch.zeros(count, dtype=torch.long) if y is None else y), symmetry)


def test_refuses_a_mean_loss_for_a_likelihood():
    x, y = torch.rand(30, 1, 8, 8), torch.zeros(30, dtype=torch.long)
    with pytest.raises(ValueError, match="must be one finite number each"):
        degree_posterior(_net(), (x, y), "rotation2d", likelihood=lambda outputs, y: -F.cross_entropy(outputs, y))
