"""The law of poses from data to degrees, on small synthetic data."""

import math

import pytest
import torch

from learnsym import groups, measure, symmetry
from learnsym.actions import PointCloud
from learnsym.measure.pose import space
from learnsym.symmetry import Symmetry

SPOTS = torch.tensor([[0.6, 0.0, 0.2], [0.3, 0.0, 0.2], [0.0, 0.45, 0.2], [-0.3, -0.2, 0.15]])


def spots(angles):
    """Images of four spots, turned by angles in degrees about the centre."""
    a = torch.deg2rad(angles + 5 * torch.randn(len(angles)))[:, None]
    x = SPOTS[:, 0] * a.cos() - SPOTS[:, 1] * a.sin()
    y = SPOTS[:, 0] * a.sin() + SPOTS[:, 1] * a.cos()
    u = (torch.arange(16) + 0.5) / 8 - 1
    distance = (u - x[..., None, None]).square() + (-u[:, None] - y[..., None, None]).square()
    return torch.exp(-distance / SPOTS[:, 2, None, None] ** 2 / 2).sum(1)[:, None]


def clouds(count):
    """Noisy copies of a cloud without symmetry."""
    corners = torch.tensor(
        [[1.0, 0, 0], [0.8, 0.3, 0], [0.5, 0, 0.4], [-0.6, 0.2, 0.1], [0, -0.5, 0.3], [0, 0.1, -0.7]]
    )
    return corners + 0.05 * torch.randn(count, 6, 3)


def inferred(x, steps=50, **options):
    return measure.pose_posterior(x, symmetry.rotation2d(), steps=steps, bootstrap=30, **options)


def test_half_width_of_images():
    law = inferred(spots((2 * torch.rand(400) - 1) * 60))
    assert abs(law.half_width - 60) < 8 and law.low < law.half_width < law.high
    assert law.order == 1 and not law.is_flat and law.closure(90.0).p_value < 1e-3
    degree = law.degrees("spots")[0]
    assert (degree.notion, degree.unit, degree.generator, degree.data) == (
        "distribution",
        "degree",
        "rotation",
        "spots",
    )
    grid, free, fitted = law.grid()
    step = grid[1] - grid[0]
    assert sum(free) * step == pytest.approx(1.0) and sum(fitted) * step == pytest.approx(1.0)


def test_full_circle_and_quarter_turns_are_told_apart():
    full = inferred(spots(360 * torch.rand(400)))
    quarters = inferred(spots(90.0 * torch.randint(4, (400,))))
    assert full.is_flat and full.can_learn and full.half_width == 180.0
    assert any(flag.startswith("full group") for flag in full.flags)
    assert quarters.order == 4 and not quarters.is_flat
    assert quarters.closure(90.0).p_value > 1e-3 > quarters.closure(45.0).p_value
    assert [degree.generator for degree in quarters.degrees()] == ["rotation", "rotation by 90"]
    assert len(quarters.modes()) == 4 and len(quarters.grid()[0]) == len(quarters.grid()[2])


def test_discs_cannot_be_learned():
    u = (torch.arange(16) + 0.5) / 8 - 1
    disc = torch.exp(-4 * (u.square() + u[:, None].square()))
    law = inferred(disc.expand(100, 1, 16, 16) * (0.5 + torch.rand(100, 1, 1, 1)))
    assert law.is_flat and not law.can_learn
    assert law.flags[0].startswith("cannot learn")


def test_rotation_of_clouds_about_an_axis():
    about_z = Symmetry(groups.AxialSO2(2), PointCloud())
    turn = about_z.group.exp((2 * torch.rand(300, 1) - 1) * math.radians(70))
    law = measure.pose_posterior(PointCloud()(turn, clouds(300)), about_z, "rotation_z", steps=200, bootstrap=20)
    assert abs(law.half_width - 70) < 10


def test_translation_of_clouds():
    motions = symmetry.se3()
    shift = torch.zeros(300, 6)
    shift[:, 0] = 0.6 * torch.rand(300) - 0.3
    x = PointCloud()(motions.group.exp(shift), clouds(300))
    law = measure.pose_posterior(x, motions, "translation_x", steps=200, bootstrap=20)
    assert abs(law.half_width - 0.3) < 0.06 and law.degrees()[0].unit == "1"


def test_own_network_and_untouched_random_state():
    x = spots((2 * torch.rand(60) - 1) * 30)
    state = torch.get_rng_state()
    make = lambda bins: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, bins))  # noqa: E731
    first, second = (
        measure.pose_posterior(x, symmetry.rotation2d(), network=make, steps=3, bootstrap=5) for _ in range(2)
    )
    assert torch.equal(first.posterior, second.posterior)
    assert torch.equal(torch.get_rng_state(), state)


def test_ball_of_rotations(monkeypatch):
    monkeypatch.setattr(space, "GRID", 300)
    space.ball_table.cache_clear()
    monkeypatch.setattr(space, "DRAWS", 3000)
    g = groups.SO3().haar(4000)
    angle = torch.rad2deg(groups.SO3().log(g).norm(dim=1))
    x = PointCloud()(g[angle < 90][:160], clouds(160))
    law = measure.space_pose_posterior(x, symmetry.so3(), steps=80, bootstrap=10)
    space.ball_table.cache_clear()
    assert abs(law.half_width - 90) < 15 and law.degrees()[0].notion == "distribution"


def test_grid_of_rotations():
    grid = space.rotations()
    assert bool(groups.SO3().contains(grid).all()) and torch.allclose(grid[0], torch.eye(3, dtype=grid.dtype))


def test_bad_input():
    with pytest.raises(ValueError, match="x: got 4 examples"):
        inferred(torch.rand(4, 1, 16, 16))
    with pytest.raises(ValueError, match="x"):
        inferred(torch.full((40, 1, 16, 16), float("nan")))
    with pytest.raises(ValueError, match="offset: got 200"):
        inferred(spots(torch.zeros(40)), folds=2, steps=2).closure(200.0)
    with pytest.raises(ValueError, match="must be SO"):
        measure.space_pose_posterior(torch.rand(40, 1, 16, 16), symmetry.rotation2d())
