"""The relative equivariance error: exact cases, an exact value, comparability."""

import pytest
import torch
from torch import nn

from learnsym import distributions, groups, measure, symmetry
from learnsym.measure.moves import pairing


class TopRow(nn.Module):
    """Mean of the top row: not invariant."""

    def forward(self, x):
        return x[..., 0, :].mean(-1)


@pytest.fixture
def images():
    return torch.rand(32, 1, 8, 8, dtype=torch.float64)


def test_zero_for_an_exactly_invariant_model(images):
    found = measure.equivariance_error(lambda x: x.mean((2, 3)), images, symmetry.quarter_turns2d())
    assert found.mean < 1e-12
    assert found.per_sample.shape == (32,)


def test_zero_for_an_equivariant_model(images):
    moved_along = symmetry.quarter_turns2d(on_output=symmetry.quarter_turns2d().on_input)
    assert measure.equivariance_error(lambda x: x**2, images, moved_along).mean < 1e-12


def test_value_is_the_exact_orbit_average(images):
    turns = symmetry.quarter_turns2d()
    found = measure.equivariance_error(TopRow(), images, turns, samples=400, seed=3)
    outputs = TopRow()(images)
    moved = torch.stack([TopRow()(images.rot90(k, (-2, -1))) for k in range(4)])
    scale = (outputs - outputs[pairing(32, 3)]).square().sum(1).mean().sqrt()
    exact = (moved - outputs).square().sum(2).mean(0).sqrt() / scale
    assert torch.allclose(found.per_sample, exact, atol=0.03)
    assert found.stderr == pytest.approx(float(found.linear.std()) / 32**0.5)
    assert float(found.linear.mean()) == pytest.approx(found.mean)


def test_same_seed_same_value_and_mode_is_restored(images):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 3).double()).train()
    first, second = (measure.equivariance_error(model, images, symmetry.rotation2d()) for _ in range(2))
    assert torch.equal(first.per_sample, second.per_sample)
    assert all(module.training for module in model.modules())


def test_no_scale_left_in_the_result(images):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3).double())
    once = measure.equivariance_error(model, images, symmetry.rotation2d())
    twice = measure.equivariance_error(lambda x: 100 * model(x) + 7, images, symmetry.rotation2d())
    assert twice.mean == pytest.approx(once.mean)


def test_constant_model_is_exact(images):
    assert measure.equivariance_error(lambda x: x.new_ones(len(x), 2), images, symmetry.rotation2d()).mean == 0.0


@pytest.mark.parametrize("make", [symmetry.so3, symmetry.o3, lambda: symmetry.permutation(5)])
def test_floor_is_zero_without_interpolation(make):
    assert measure.interpolation_floor(torch.randn(8, 5, 3, dtype=torch.float64), make()).mean < 1e-6


def test_floor_of_rotated_images(images):
    floor = measure.interpolation_floor(images, symmetry.rotation2d())
    assert 0.1 < floor.mean < 1.5
    assert measure.interpolation_floor(images, symmetry.quarter_turns2d()).mean < 1e-12


def test_a_distribution_of_a_group_that_is_not_compact(images):
    box = distributions.LieBox(groups.Translation2(), torch.tensor([0.1, 0.1]))
    found = measure.equivariance_error(lambda x: x.mean((2, 3)), images, symmetry.translation2d(), distribution=box)
    assert 0 < found.mean < 1
    with pytest.raises(ValueError, match="not compact"):
        measure.equivariance_error(TopRow(), images, symmetry.translation2d())


def test_bad_input(images):
    with pytest.raises(ValueError, match="samples: got 0"):
        measure.equivariance_error(TopRow(), images, symmetry.rotation2d(), samples=0)
    with pytest.raises(ValueError, match="x: got 1 examples"):
        measure.equivariance_error(TopRow(), images[:1], symmetry.rotation2d())
    with pytest.raises(ValueError, match="x"):
        measure.equivariance_error(TopRow(), images[:, 0, 0], symmetry.rotation2d())
