"""Intervals that cover, p-values that keep their level, components that add up, exactness down to the floor."""

import math

import pytest
import torch
from torch import nn

from learnsym import actions, symmetry
from learnsym.measure import Estimate, equivariance_error
from learnsym.measure.comparison import paired_difference, ratio_of_means
from learnsym.measure.departure import exactness_test
from learnsym.measure.interval import bootstrap_interval, student_interval
from learnsym.measure.variance_components import variance_components

TURNS = symmetry.quarter_turns2d()


def coverage(intervals, truth):
    intervals = list(intervals)
    return sum(each.low <= truth <= each.high for each in intervals) / len(intervals)


def estimates(replicates, examples, draw=torch.randn):
    return [Estimate.of(values) for values in draw(replicates, examples, dtype=torch.float64)]


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_student_intervals_of_few_normal_values_cover_exactly(level):
    found = coverage((student_interval(each, level) for each in estimates(2000, 5)), 0.0)
    assert abs(found - level) < 4 * (level * (1 - level) / 2000) ** 0.5


def test_bootstrap_intervals_of_many_skewed_values_cover_nearly():
    values = estimates(400, 100, lambda *shape, dtype: torch.randn(*shape, dtype=dtype).exp())
    found = coverage((bootstrap_interval(each, replicates=200) for each in values), math.exp(0.5))
    assert 0.87 < found < 0.97


def test_intervals_of_ratios_cover():
    a, b = torch.rand(2, 500, 60, dtype=torch.float64)
    a = a + 2 * b
    ratios = [ratio_of_means(Estimate.of(x), Estimate.of(y)) for x, y in zip(a, b, strict=True)]
    assert abs(coverage((student_interval(each) for each in ratios), 3.0) - 0.95) < 0.04
    assert ratios[0].mean == pytest.approx(float(a[0].mean() / b[0].mean()))


def test_paired_differences_keep_their_level_and_find_what_pairing_shows():
    hard = 10 * torch.rand(200, 30, dtype=torch.float64)
    a, b, better = (hard + torch.randn_like(hard) for _ in range(3))
    same = [paired_difference(Estimate.of(x), Estimate.of(y), permutations=199) for x, y in zip(a, b, strict=True)]
    assert 0.01 <= sum(each.p_value <= 0.05 for each in same) / 200 <= 0.1
    found = paired_difference(Estimate.of(a.flatten()), Estimate.of(better.flatten() - 0.2))
    assert found.p_value == 0.0005
    # unpaired, the spread of the examples would make it uncertain
    assert found.difference.stderr < (2 * a.var() / a.numel()) ** 0.5 / 2


def test_alternatives_point_to_their_sides():
    a, b = Estimate.of(torch.rand(20) + 1), Estimate.of(torch.rand(20))
    sides = [paired_difference(a, b, side).p_value for side in ("two-sided", "greater", "less")]
    assert sides == [0.0005, 0.0005, 1.0]
    assert paired_difference(a, a).p_value == 1.0


def test_variance_components_are_unbiased():
    planted = (4.0, 1.0, 0.25)
    draws = []
    for _ in range(300):
        a, b, c = torch.randn(12, 1, 1), torch.randn(12, 4, 1), torch.randn(12, 4, 3)
        found = variance_components(2 * a + b + 0.5 * c)
        draws.append([part.mean for part in found.components])
    means, error = torch.tensor(draws).mean(0), torch.tensor(draws).std(0) / 300**0.5
    assert ((means - torch.tensor(planted)).abs() < 4 * error).all()


def test_variance_components_give_back_the_standard_error():
    values = torch.randn(50, 1, dtype=torch.float64) + torch.randn(50, 6, dtype=torch.float64)
    found = variance_components(values)
    assert found.stderr(50, 6) == pytest.approx(Estimate.of(values.mean(1)).stderr)
    assert found.stderr(200, 6) == pytest.approx(found.stderr(50, 6) / 2)
    assert found.components[0].mean ** 0.5 / 50**0.5 < found.stderr(50, 1000) < found.stderr(50, 6)


def rings(x):
    """Means over rings: invariant to rotations, up to interpolation."""
    size = x.shape[-1]
    line = torch.linspace(-1, 1, size, dtype=x.dtype)
    radius = (line[:, None] ** 2 + line**2).sqrt()
    masks = torch.stack([((radius - at).abs() < 0.2).to(x.dtype) for at in (0.1, 0.4, 0.7)])
    return torch.einsum("bchw,rhw->br", x, masks) / masks.sum((1, 2))


def smooth(count, dtype=torch.float64, size=16):
    x = torch.nn.functional.interpolate(torch.rand(count, 1, 6, 6, dtype=dtype), size, mode="bicubic")
    line = torch.linspace(-1, 1, size, dtype=dtype)
    return x * ((line[:, None] ** 2 + line**2) < 0.8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exact_networks_pass_at_rounding(dtype):
    class Exact(nn.Module):
        """A deep network averaged over quarter turns."""

        def __init__(self):
            super().__init__()
            layers = [nn.Conv2d(1 if i == 0 else 6, 6, 3, padding=1) for i in range(6)]
            self.net = nn.Sequential(*(part for layer in layers for part in (layer, nn.Tanh())))

        def forward(self, x):
            return sum(self.net(x.rot90(k, (-2, -1))).mean((-2, -1)) for k in range(4))

    model, x = Exact().to(dtype), torch.rand(16, 1, 8, 8, dtype=dtype)
    exact = exactness_test(model, x, TURNS)
    assert exact.p_value > 0.5 and exact.excess.mean < 0
    broken = exactness_test(lambda x: model(x) + 1e-4 * x[:, :, 0, 0], x, TURNS)
    assert broken.p_value < 0.001


@pytest.mark.parametrize("symmetric", [symmetry.so3(), symmetry.o3(), symmetry.permutation(5)])
def test_exact_functions_of_points_pass(symmetric):
    x = torch.randn(16, 5, 3)
    assert exactness_test(lambda x: (x @ x.mT).square().sum((1, 2))[:, None], x, symmetric).p_value > 0.5
    assert exactness_test(lambda x: x[:, 0, :1], x, symmetric).p_value < 0.001


def test_interpolation_alone_is_not_asymmetry():
    x, turns = smooth(30), symmetry.rotation2d()
    invariant = exactness_test(rings, x, turns)
    assert invariant.error.mean > 1e-3 and invariant.p_value > 0.05
    assert exactness_test(lambda x: x[:, 0, :8].mean(1), x, turns).p_value < 0.001


def test_exactness_of_a_field_and_its_error():
    moved_along = symmetry.rotation2d(on_output=actions.Image())
    blur = nn.AvgPool2d(3, 1, 1, count_include_pad=True)
    x = smooth(20)
    found = exactness_test(blur, x, moved_along)
    assert found.error.mean == equivariance_error(blur, x, moved_along).mean
    assert found.excess.mean == pytest.approx(found.error.mean - found.floor.mean)
    assert found.p_value > 0.05
    shift = exactness_test(lambda x: x.roll(2, -1), x, moved_along)
    assert shift.p_value < 0.001


def test_batches_do_not_matter():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(256, 3).double()).train()
    x = smooth(9)
    whole, *others = (exactness_test(model, x, symmetry.rotation2d(), batch_size=size) for size in (64, 7, 1))
    for other in others:
        torch.testing.assert_close(other.floor.per_sample, whole.floor.per_sample, rtol=1e-9, atol=0)
        assert other.p_value == whole.p_value
    assert model.training


def test_refusals():
    one, two, three = (Estimate.of(torch.rand(count)) for count in (1, 2, 3))
    with pytest.raises(ValueError, match="over 2 and 3 examples, must be over the same"):
        paired_difference(two, three)
    with pytest.raises(ValueError, match="denominator: its mean is 0"):
        ratio_of_means(two, Estimate.of(torch.zeros(2)))
    with pytest.raises(ValueError, match="over one example"):
        student_interval(one)
    with pytest.raises(ValueError, match=r"level: got 95\.0, must lie between 0 and 1"):
        bootstrap_interval(two, 95.0)
    with pytest.raises(ValueError, match="at least 2 of each"):
        variance_components(torch.rand(5, 1))
    with pytest.raises(ValueError, match="some are not finite"):
        variance_components(torch.full((3, 3), torch.nan))
    with pytest.raises(ValueError, match="must be 2 numbers"):
        variance_components(torch.rand(5, 4)).stderr(10)
    with pytest.raises(ValueError, match="the same for all examples"):
        exactness_test(lambda x: x.new_ones(len(x), 2), torch.rand(4, 1, 8, 8), TURNS)
