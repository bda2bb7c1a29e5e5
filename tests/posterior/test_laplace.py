"""Laplace is exact where the likelihood is normal; layers get intervals that hold their degrees, and are left alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.degrees import Degree
from learnsym.methods import registry
from learnsym.posterior import degrees_over_seeds, laplace_degrees, residual_variances
from learnsym.posterior.gains import gains
from learnsym.training import build, fit
from tests.methods.conftest import DIGITS, tiny
from tests.methods.test_intervals import has_interval_or_reason

NOISE = 0.5
SLOW = pytest.mark.slow
FIELDS = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)


class Slope(nn.Module):
    """`y = θ x`; the degree is `θ`."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.theta * x

    def degrees(self, site: str) -> list[Degree]:
        about = {"site": site, "group": "R", "generator": "slope", "unit": "1", "notion": "task", "method": "line"}
        return [Degree(**about, estimate=float(self.theta))]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        return [self.theta]


def _normal(outputs: Tensor, y: Tensor) -> Tensor:
    return torch.distributions.Normal(outputs, NOISE).log_prob(y).flatten(1).sum(1)


def test_is_exact_for_a_line_with_normal_noise():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(400, 1, generator=random)
    y = 0.7 * x + NOISE * torch.randn(400, 1, generator=random)
    (found,) = laplace_degrees(Slope(), (x, y), likelihood=_normal)
    precision = float(x.square().sum()) / NOISE**2 + 1
    mean, reach = float((x * y).sum()) / NOISE**2 / precision, 1.645 / precision**0.5
    assert found.estimate == pytest.approx(mean, abs=reach / 8) and found.status == "ok"
    assert (found.high - found.low) / 2 == pytest.approx(reach, rel=0.3)


def test_few_examples_leave_the_prior():
    x = torch.zeros(20, 1)
    (found,) = laplace_degrees(Slope(), (x, x), likelihood=_normal, scale=0.1)
    assert found.estimate == 0 and 0.1 < found.high < 0.25


def _model(layer: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))


def _pathway() -> nn.Module:
    free = nn.Conv2d(8, 8, 3, bias=False)
    return ls.relax.ResidualPathway(ls.equivariant.GroupConv2d(FIELDS, FIELDS, 3), free)


@pytest.mark.parametrize("layer", [_pathway, lambda: ls.relax.RelaxedGroupConv2d(FIELDS, FIELDS, 3)])
def test_an_interval_holds_the_degree_and_the_model_stays(layer, monkeypatch):
    monkeypatch.setattr("learnsym.posterior.laplace.DRAWS", 20)
    model = _model(layer())
    before = copy.deepcopy(model.state_dict())
    found = laplace_degrees(model, (torch.randn(30, 8, 5, 5), torch.randint(2, (30,))))
    assert all(degree.low <= degree.estimate <= degree.high for degree in found)
    assert all(degree.low < degree.high for degree in found)
    after = model.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    assert model.training


@pytest.mark.parametrize(
    "layer", [_pathway, lambda: ls.relax.GridPathway(ls.relax.DenseMap(2, 3, 6), ls.relax.ConvMap(2, 3, 6))]
)
def test_a_gain_leads_from_the_trained_layer_to_an_exact_one(layer):
    layer = layer().double()
    before, distance = layer.state_dict(), float(layer.distance())
    with gains(layer) as (gamma,):
        assert float(layer.distance()) == pytest.approx(distance)
        with torch.no_grad():
            gamma.zero_()
        assert float(layer.distance()) < 1e-6
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize(
    "method", [name if name in ("fixed_inputs", "layerwise") else pytest.param(name, marks=SLOW) for name in registry]
)
def test_every_method_gets_an_interval_or_a_reason(method, monkeypatch):
    monkeypatch.setattr("learnsym.posterior.laplace.DRAWS", 20)
    monkeypatch.setitem(DIGITS, "val", 24)
    model, objective, splits = build(tiny(method, registry[method].choosers[0]))
    if isinstance(objective, nn.Module):
        fit(model, objective, ls.data.Batches(splits.train, 8), steps=1)
    data = splits.val if len(splits.val) >= 20 else splits.train
    found = laplace_degrees(model, data)
    assert len(found) == len(ls.degrees(model))
    assert all(has_interval_or_reason(degree) for degree in found)


def test_refuses_scales_and_examples_that_say_nothing():
    with pytest.raises(ValueError, match="scale: got -1"):
        laplace_degrees(Slope(), (torch.zeros(20, 1), torch.zeros(20, 1)), scale=-1.0)
    with pytest.raises(ValueError, match="at least 20; hold out more"):
        laplace_degrees(Slope(), (torch.zeros(5, 1), torch.zeros(5, 1)))


def test_the_variance_of_a_pathway_is_held_as_often_as_said():
    held = 0
    for seed in range(200):
        torch.manual_seed(seed)
        layer = _pathway()
        with torch.no_grad():
            layer.free.copy_((0.3 / 72) ** 0.5 * torch.randn_like(layer.free))
        (found,) = residual_variances(layer)
        held += found.low <= 0.3 <= found.high
    assert 0.84 <= held / 200 <= 0.96
    with pytest.raises(ValueError, match="has no ResidualPathway"):
        residual_variances(nn.Linear(2, 2))


def test_an_interval_over_seeds_is_student_s():
    boxes = [ls.distributions.LearnableBox(ls.groups.SO2(), init) for init in (0.2, 0.3, 0.4)]
    (found,) = degrees_over_seeds(boxes)
    assert found.estimate == pytest.approx(54.0, abs=0.1) and found.status == "ok"
    assert found.high - found.estimate == pytest.approx(2.92 * 18 / 3**0.5, rel=0.01)
    with pytest.raises(ValueError, match="got 1, must be at least 2"):
        degrees_over_seeds(boxes[:1])
    with pytest.raises(ValueError, match="have different degrees"):
        degrees_over_seeds([boxes[0], ls.distributions.LearnableBox(ls.groups.Translation2())])
