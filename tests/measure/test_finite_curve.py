"""Error curves: closed forms, averages, and what a curve along a generator cannot see."""

import math

import pytest
import torch
from torch import nn

from learnsym import actions, groups, symmetry
from learnsym.distributions import Quadrature
from learnsym.measure import equivariance_error
from learnsym.measure.finite.error_curve import error_curve
from learnsym.measure.moves import pairing
from learnsym.symmetry import Symmetry


def planar(group, on_output=None):
    return Symmetry(group, actions.PointCloud(dim=2), on_output or actions.Invariant())


def points(count=16, members=2, dim=2):
    return torch.randn(count, members, dim, dtype=torch.float64)


def signed_area(x):
    return (x[:, :1, 0] * x[:, 1:, 1] - x[:, :1, 1] * x[:, 1:, 0]).flatten(1)


def test_value_at_every_element_of_a_finite_group():
    turns, x = symmetry.quarter_turns2d(), torch.rand(12, 1, 6, 6, dtype=torch.float64)

    def model(x):
        return x[..., 0, :].flatten(1)

    curve = error_curve(model, x, turns, seed=3)
    other = model(x)[pairing(12, 3)]
    scale = (model(x) - other).square().sum(1).mean().sqrt()
    for k, error in enumerate(curve.errors):
        exact = (model(x.rot90(k, (-2, -1))) - model(x)).norm(dim=1) / scale
        torch.testing.assert_close(error.per_sample, exact)
    assert curve.at.labels == ("identity", "rotation by 90", "rotation by 180", "rotation by 270")
    sampled = equivariance_error(model, x, turns, samples=4000, seed=3)
    torch.testing.assert_close(curve.average.per_sample, sampled.per_sample, atol=0.01, rtol=0)
    assert curve.average_floor.mean == 0.0


def test_closed_form_along_the_circle():
    phi = 2 * math.pi * torch.rand(16, dtype=torch.float64)
    x = torch.stack([phi.cos(), phi.sin()], 1)[:, None]
    curve = error_curve(lambda x: x[:, 0, :1], x, planar(groups.SO2()))
    other = phi.cos()[pairing(16, 0)]
    scale = (phi.cos() - other).square().mean().sqrt()
    for t, error in zip(curve.at.coordinates.deg2rad(), curve.errors, strict=True):
        torch.testing.assert_close(error.per_sample, ((phi + t).cos() - phi.cos()).abs() / scale)
    # mean_t (cos(φ + t) - cos φ)² = 1/2 + cos² φ
    torch.testing.assert_close(curve.average.per_sample, (0.5 + phi.cos() ** 2).sqrt() / scale)


def test_a_model_that_only_reflections_change():
    x, group = points(), groups.O2()
    along = error_curve(signed_area, x, planar(group), Quadrature.along(group, "rotation"))
    assert max(error.mean for error in along.errors) < 1e-12
    identity, flip = error_curve(signed_area, x, planar(group), Quadrature.components(group)).errors
    area = signed_area(x)
    scale = (area - area[pairing(16, 0)]).square().mean().sqrt()
    assert identity.mean == 0.0
    torch.testing.assert_close(flip.per_sample, 2 * area[:, 0].abs() / scale)
    # all of O(2): no error on one half, the whole of it on the other
    whole = error_curve(signed_area, x, planar(group))
    torch.testing.assert_close(whole.average.per_sample, flip.per_sample / math.sqrt(2))


def test_rotations_of_space_are_averaged_without_error():
    x = points(8, 4, 3)

    def model(x):
        return torch.stack([x[:, 0, 0] * x[:, 1, 1], x[:, 2, 2] ** 2], 1)

    averages = [
        error_curve(model, x, symmetry.so3(), Quadrature.haar(groups.SO3(), degree)).average for degree in (4, 4, 11)
    ]
    torch.testing.assert_close(averages[0].per_sample, averages[2].per_sample, rtol=1e-10, atol=0)
    coarse = error_curve(model, x, symmetry.so3(), Quadrature.haar(groups.SO3(), 1)).average
    assert (coarse.per_sample - averages[2].per_sample).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("made", "model"),
    [
        (symmetry.so3(on_output=actions.PointCloud()), lambda x: x * x.square().sum((1, 2), keepdim=True)),
        (symmetry.permutation(4), lambda x: x.sum(1)),
        (symmetry.permutation(4, on_output=actions.Set()), torch.tanh),
        (symmetry.o3(), lambda x: x.square().sum((1, 2))[:, None]),
    ],
)
def test_exact_models_have_no_error(made, model):
    curve = error_curve(model, points(6, 4, 3), made)
    assert max(error.mean for error in (*curve.errors, *curve.floors)) < 1e-12


def test_floor_stands_beside_every_element():
    x = torch.rand(8, 1, 8, 8)
    made = symmetry.rotation2d()
    curve = error_curve(lambda x: x.flatten(1), x, made, Quadrature.along(made.group, "rotation", points=8))
    for t, floor in zip(curve.at.coordinates.tolist(), curve.floors, strict=True):
        assert floor.mean == 0.0 if t % 90 == 0 else floor.mean > 0.1


def test_a_group_that_is_not_compact_needs_a_range():
    x, made = torch.rand(8, 1, 8, 8), symmetry.translation2d()
    with pytest.raises(ValueError, match=r"use Quadrature.along"):
        error_curve(nn.Flatten(), x, made)
    rule = Quadrature.along(made.group, "translation_x", points=5, half_width=0.25)
    errors = error_curve(nn.Flatten(), x, made, rule).errors
    assert errors[2].mean == 0.0 < errors[1].mean


def test_constant_model_is_exact_and_elements_are_checked():
    x = points()
    constant = error_curve(lambda x: x.new_ones(len(x), 2), x, planar(groups.SO2()))
    assert constant.average.mean == 0.0
    with pytest.raises(ValueError, match="at: got 5 matrices of size 2, must be elements of C_4"):
        error_curve(signed_area, x, planar(groups.Cyclic(4)), Quadrature.components(groups.Cyclic(5)))
