"""The floor of the residual axis that goes by the errors of the models themselves."""

import math

import pytest
import torch
from torch import nn

import learnsym as ls

GRAVITY = torch.tensor([0.0, 0.0, -1.0])


def clouds(count=60, seed=0):
    return torch.randn(count, 4, 3, generator=torch.Generator().manual_seed(seed))


def kept(x):
    """Turns with its inputs."""
    return x.roll(1, 1) * (x * x).sum(-1, keepdim=True)


def broken(strength):
    """Turns with its inputs about the vertical axis only."""
    return lambda x: kept(x) + strength * x[..., 2:] * GRAVITY


def trainings(truth, count=3, size=0.1):
    """The truth with errors that no rotation keeps, as trainings from different seeds have them."""
    waves = [torch.randn(32, 3, 3, generator=torch.Generator().manual_seed(seed)) for seed in range(count)]
    return [lambda x, w=w: truth(x) + size * torch.einsum("bnc,kcd->kbnd", x, w).sin().mean(0) for w in waves]


def verdict(truth, **options):
    x = clouds()
    models = trainings(truth, **options)
    floor = ls.measure.own_floor(models, x, truth(x))
    return ls.measure.residual_axis(models[0], x, floor=floor, bootstrap=100).verdict


def test_rotations_that_the_truth_keeps_are_told_from_those_that_it_breaks():
    assert verdict(kept) == "all rotations"
    assert verdict(broken(2.0)) == "one axis"
    assert verdict(lambda x: kept(x) + 2.0 * (x[..., 1:2] * GRAVITY + x[..., :1] * torch.tensor([1.0, 0, 0]))) == "none"


def test_the_floor_falls_with_the_errors_and_has_no_units():
    x = clouds()
    floors = [ls.measure.own_floor(trainings(kept, size=size), x, kept(x)) for size in (0.1, 0.01)]
    assert floors[0] / floors[1] == pytest.approx(10, rel=1e-2)
    scaled = [lambda x, f=f: 7.0 * f(x) for f in trainings(kept)]
    assert ls.measure.own_floor(scaled, x, 7.0 * kept(x)) == pytest.approx(floors[0], rel=1e-5)


def test_the_roughness_of_linear_errors_is_known():
    """Of `r(x) = c x`, which turns with its inputs, nothing is left; of `c x_0 e_0` what the equation says."""
    x = clouds(400).double()
    e = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    models = [lambda x, c=c: x + c * x[..., :1] * e for c in (-0.1, 0.1)]
    floor = ls.measure.own_floor(models, x, x)
    r, total = x[..., :1] * e, 0.0
    for axis in torch.eye(3, dtype=torch.float64):
        turn = torch.linalg.cross(axis.expand_as(x), x)
        total += (turn[..., :1] * e - torch.linalg.cross(axis.expand_as(r), r)).square().sum() / 3
    roughness = float(total / r.square().sum()) ** 0.5 * math.pi / 180
    error = 0.1 * float(r.square().sum((1, 2)).mean()) ** 0.5
    apart = float(2 * (x - x.mean(0)).square().sum((1, 2)).mean()) ** 0.5
    assert floor == pytest.approx(2**0.5 * roughness * error / apart, rel=0.05)  # d is over one pairing
    exact = [lambda x, c=c: x + c * x for c in (-0.1, 0.1)]
    assert ls.measure.own_floor(exact, x, x) < 1e-10


def test_trained_networks_of_several_seeds():
    x, models = clouds(200), []
    for seed in range(2):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Flatten(), nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 12), nn.Unflatten(1, (4, 3)))
        optimiser = torch.optim.Adam(net.parameters(), 1e-2)
        for _ in range(150):
            optimiser.zero_grad()
            (net(x[:150]) - x[:150].roll(1, 1)).square().mean().backward()
            optimiser.step()
        models.append(net.eval())
    floor = ls.measure.own_floor(models, x[150:], x[150:].roll(1, 1))
    assert ls.measure.residual_axis(models[0], x[150:], floor=floor, bootstrap=50).verdict == "all rotations"


def test_what_it_refuses():
    x = clouds(10)
    with pytest.raises(ValueError, match=r"^models: got 1, must be at least two trainings"):
        ls.measure.own_floor([kept], x, kept(x))
    with pytest.raises(ValueError, match=r"^models: all have the same outputs"):
        ls.measure.own_floor([kept, kept], x, kept(x))
    with pytest.raises(ValueError, match=r"^y: got shape \(10, 3\), must be \(10, 4, 3\)"):
        ls.measure.own_floor(trainings(kept), x, kept(x)[:, 0])
