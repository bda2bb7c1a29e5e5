"""Exactness down to the floor of interpolation and rounding."""

import pytest
import torch
from torch import nn

from learnsym import actions, symmetry
from learnsym.measure import equivariance_error
from learnsym.measure.departure import exactness_test

TURNS = symmetry.quarter_turns2d()


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


def test_outputs_that_do_not_depend_on_the_example_are_refused():
    with pytest.raises(ValueError, match="the same for all examples"):
        exactness_test(lambda x: x.new_ones(len(x), 2), torch.rand(4, 1, 8, 8), TURNS)
