"""The law of poses from data to degrees, on small synthetic data."""

import math
from dataclasses import replace

import pytest
import torch

from learnsym import data, groups, measure, symmetry
from learnsym.actions import PointCloud
from learnsym.measure.pose import space
from learnsym.measure.pose.alignment import aligned
from learnsym.measure.pose.calibration import confidence_of
from learnsym.measure.pose.choice import chosen_law
from learnsym.measure.pose.ground import grounded
from learnsym.measure.pose.interval import extent_interval, half_width_interval
from learnsym.measure.pose.read_out import ReadOut
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


@pytest.mark.parametrize("steps", [1, 2, 4, 5, 6])
def test_training_may_be_as_short_as_one_likes(steps):
    assert len(inferred(spots(torch.zeros(40)), steps=steps, folds=2).posterior) == 40


def test_half_width_of_images():
    law = inferred(spots((2 * torch.rand(400) - 1) * 60))
    assert abs(law.half_width - 60) < 8 and law.low < law.half_width < law.high
    assert law.order == 1 and not law.is_flat and law.closure(90.0).p_value < 1e-3
    assert law.form == "uniform" and not law.cue
    assert law.sd == pytest.approx(law.half_width / math.sqrt(3)) and law.extent == pytest.approx(0.9 * law.half_width)
    degree = law.degrees("spots")[0]
    assert degree.status == "ok" and not degree.reason
    assert (degree.notion, degree.unit, degree.generator, degree.data) == (
        "distribution",
        "degree",
        "rotation",
        "spots",
    )
    grid, free, fitted = law.grid()
    step = grid[1] - grid[0]
    assert sum(free) * step == pytest.approx(1.0) and sum(fitted) * step == pytest.approx(1.0)


@pytest.mark.slow
def test_full_circle_and_quarter_turns_are_told_apart():
    full = inferred(spots(360 * torch.rand(400)))
    quarters = inferred(spots(90.0 * torch.randint(4, (400,))))
    assert full.is_flat and full.can_learn and full.half_width == 180.0 and full.degrees()[0].status == "ok"
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
    degree = law.degrees()[0]
    assert degree.status == "cannot be learned" and (degree.low, degree.high) == (0.0, 180.0)


def pears(angles, offset):
    """Images of pears, turned by angles in degrees, whose centre is off the middle by pixels to the right."""
    a = torch.deg2rad(angles)[:, None, None]
    place = torch.arange(16) - 7.5
    right, up = place - offset, -place[:, None]
    u, v = right * a.cos() + up * a.sin(), up * a.cos() - right * a.sin()
    wide, narrow = (
        torch.exp(-0.5 * (u + s).square() / w**2 - 0.5 * v.square() / w**2) for s, w in ((0.6, 1.6), (-1.6, 1.0))
    )
    return (wide + narrow + 0.02 * torch.randn(len(a), 16, 16))[:, None]


@pytest.mark.slow
def test_offset_of_all_objects_is_no_law():
    full = inferred(pears(360 * torch.rand(250), 0.5))
    assert full.high == 180.0 and full.low >= 150.0
    assert "centred (0.5" in full.flags[0] and full.with_cue < 60


@pytest.mark.slow
def test_narrow_law_with_an_offset_is_told():
    law = inferred(pears(100 * torch.rand(300) - 50, 0.3), steps=30)
    assert 38 < law.half_width < 62 and law.high < 100


@pytest.mark.parametrize("power", [0.2, 8.0])
def test_readings_do_not_depend_on_how_sure_the_network_is(power):
    law = inferred(spots(40 * torch.rand(200) - 20), steps=30)
    posterior = law.posterior**power
    read = aligned(posterior / posterior.sum(1, keepdim=True), True)
    assert (read.centre - law.read.centre).abs().median() < 3.0


def test_confidence():
    sharp = torch.full((400, 144), 0.001)
    sharp[:, 68:77] = 0.1
    right, wrong = torch.rand(400, 1) < 0.875, sharp.roll(50, 1)
    assert confidence_of(torch.where(right, sharp, wrong)) == pytest.approx(1.0, abs=0.3)
    assert confidence_of(sharp) > 2
    assert confidence_of(torch.where(right, sharp**4, wrong**4)) < 0.5


def chosen(pose):
    """The shape that poses prefer."""
    fold = torch.arange(len(pose)) % 2
    return chosen_law(ReadOut(pose, torch.rand(len(pose))), fold, True, 3.0, bootstrap=20)


def test_two_modes_are_preferred_where_there_are_two():
    choice = chosen(torch.cat([20 * torch.rand(300) - 70, 20 * torch.rand(300) + 50]) + 3 * torch.randn(600))
    assert choice.form == "several modes" and choice.is_sure
    assert [round(place / 10) for place, _ in choice.positions] == [-6, 6]
    _, low, high = extent_interval(choice, True, 0.9)
    assert low < 10 < high < 20


def box(half_width, count):
    return (2 * torch.rand(count) - 1) * half_width


def test_two_ranges_are_preferred_where_there_are_two():
    choice = chosen(torch.cat([box(12, 300), box(90, 300)]) + 5 * torch.randn(600))
    assert choice.form == "two ranges" and choice.is_sure
    # errors make up for a narrow range that is too narrow
    assert abs(choice.fit.half_width - 90) < 12 and choice.fit.inner <= 18
    # a share of the wide range lies within the narrow one, and may count to either
    assert 0.35 < choice.fit.inner_share < 0.65
    _, low, high = extent_interval(choice, True, 0.9)
    assert low < 90 < high < 120


@pytest.mark.parametrize("seed", range(4))
def test_one_range_that_is_read_better_in_some_examples_is_one(seed):
    torch.manual_seed(seed)
    errors = torch.where(torch.rand(600) < 0.5, 4.0, 16.0) * torch.randn(600)
    assert chosen(box(45, 600) + errors).form == "uniform"


def test_two_ranges_are_said_and_drawn():
    found = inferred(spots(torch.cat([box(10, 200), box(80, 200)])), steps=60)
    share, narrow = found.inner
    assert found.form == "two ranges" and found.low < 80 < found.high and narrow < 20
    assert any(flag.startswith("two ranges about one middle") for flag in found.flags) and found.status == "ok"
    assert found.facts["narrow_share"] == share and found.facts["narrow_half_width"] == narrow
    # the standard deviation and the extent are those of both together
    assert found.sd < 0.9 * found.half_width / math.sqrt(3) and found.extent < 0.9 * found.half_width
    grid, _, fitted = found.grid()
    inside = sum(d for a, d in zip(grid, fitted, strict=True) if abs(a) < 20) * (grid[1] - grid[0])
    assert inside > 0.8 * share


def about_a_point(x, angles, point):
    """Images turned by angles in degrees about a point, in half sides from the middle."""
    a, count = torch.deg2rad(angles), len(x)
    turn = torch.stack([torch.stack([a.cos(), -a.sin()], 1), torch.stack([a.sin(), a.cos()], 1)], 1)
    g = torch.eye(3).repeat(count, 1, 1)
    g[:, :2, :2], g[:, :2, 2] = turn, torch.tensor(point) - turn @ torch.tensor(point)
    return symmetry.affine2d().on_input(g, x)


@pytest.mark.slow
def test_turns_about_another_point_than_the_middle_are_read():
    # ground of zeros, so that each object has a centre of its own
    upright = (spots(torch.zeros(400)) - 0.1).clamp(min=0) * (torch.arange(16) % 15 > 0)
    found = inferred(about_a_point(upright, box(60, 400), (0.15, -0.1)), steps=100)
    assert found.low < 60 < found.high and found.low > 40
    assert "turn about another point" in found.cue and found.with_cue < 40


def test_a_normal_law_is_told_from_a_uniform_one():
    assert chosen(40 * torch.randn(2000)).form == "normal"
    assert chosen(120 * torch.rand(2000) - 60 + 5 * torch.randn(2000)).form == "uniform"


def test_a_rejected_shape_joins_its_interval_with_that_of_the_free_law():
    pose = torch.cat([60 * torch.rand(300) - 30, 60 * torch.rand(300) + 70, 4 * torch.randn(900)])
    choice = chosen(pose)
    choice = replace(choice, free=replace(choice.free, advantage=1.0, advantage_stderr=0.01))
    estimate, low, high = extent_interval(choice, True, 0.9)
    box = half_width_interval(choice.fit, True, 0.9)
    assert estimate == choice.free.extent
    assert low <= min(box[1], choice.free.extent) and high >= max(box[2], choice.free.extent)


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


def test_law_that_is_wide_for_the_window_is_a_bound():
    about_x = symmetry.se3()
    shift = torch.zeros(300, 6)
    shift[:, 0] = 0.6 * torch.rand(300) - 0.3
    x = PointCloud()(about_x.group.exp(shift), clouds(300))
    law = measure.pose_posterior(x, about_x, "translation_x", steps=60, bootstrap=10, moves=0.5)
    degree = law.degrees()[0]
    assert degree.status == "bound only" and "larger moves" in degree.reason and degree.high == pytest.approx(0.375)


def test_backgrounds():
    x = spots(10 * torch.rand(60) - 5) + torch.linspace(0, 3, 16)
    with pytest.raises(ValueError, match="border is not constant"):
        measure.pose_posterior(x, symmetry.affine2d(), "translation_x")
    flat = 0.4 + 0.5 * pears(360 * torch.rand(60), 0.0)
    assert torch.allclose(grounded(flat, symmetry.affine2d().on_input, True), flat - 0.4, atol=0.02)


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
    degree = law.degrees()[0]
    assert abs(law.half_width - 90) < 15 and degree.notion == "distribution" and degree.status == "ok"
    flat = replace(law, fit=replace(law.fit, evidence=0.0))
    assert flat.degrees()[0].status == "cannot be learned" and space.ball_interval(flat.fit, 0.9)[1:] == (0.0, 180.0)


def test_grid_of_rotations():
    grid = space.rotations()
    assert bool(groups.SO3().contains(grid).all()) and torch.allclose(grid[0], torch.eye(3, dtype=grid.dtype))


def test_bad_input():
    with pytest.raises(ValueError, match="x: got 4 examples"):
        inferred(torch.rand(4, 1, 16, 16))
    with pytest.raises(ValueError, match="examples: got 19, must be at least 2 folds of 10"):
        inferred(torch.rand(40, 1, 16, 16), examples=19)
    with pytest.raises(ValueError, match="x"):
        inferred(torch.full((40, 1, 16, 16), float("nan")))
    with pytest.raises(ValueError, match="offset: got 200"):
        inferred(spots(torch.zeros(40)), folds=2, steps=2).closure(200.0)
    with pytest.raises(ValueError, match="must be SO"):
        measure.space_pose_posterior(torch.rand(40, 1, 16, 16), symmetry.rotation2d())


def test_examples_that_are_left_out_are_said():
    x = spots((2 * torch.rand(80) - 1) * 60)
    few = inferred(x, steps=1, examples=20)
    assert len(few.posterior) == 20 and few.left_out == 60
    said = "20 of 80 examples were taken, at random: what their number adds to the uncertainty is 2 times that of all"
    assert few.flags[0].startswith(said)
    rows = torch.randperm(80, generator=torch.Generator().manual_seed(0))[:20]
    every = inferred(x[rows], steps=1, examples=None)
    assert torch.equal(few.posterior, every.posterior)
    assert not every.left_out and not any("were taken" in flag for flag in every.flags)


def test_laws_are_shown_in_three_lines():
    law = inferred(spots((2 * torch.rand(100) - 1) * 60), steps=6)
    first, second, third = repr(law).split("\n")
    assert "degree [" in first and second == f"status: {law.status}" and third


@pytest.mark.slow
def test_data_sets_and_splits_are_taken():
    splits = data.load_splits(data.DataConfig(name="digits", train=40, val=10, test=10))
    laws = [inferred(x, steps=2) for x in (splits, splits.train, splits.train.inputs)]
    assert all(torch.equal(law.posterior, laws[0].posterior) for law in laws)


@pytest.mark.parametrize(
    ("x", "name", "words"),
    [
        ("digits", "rotation2d", ("x: got 'digits'", "load_splits")),
        (torch.rand(40, 1, 8, 8), "flip2d", ("symmetry: got", "closure_test")),
        (torch.rand(40, 1, 8, 8), "quarter_turns2d", ("symmetry: got", "closure_test")),
        (torch.rand(40, 6, 3), "so3", ("generator: got 'rotation'", "space_pose_posterior")),
    ],
)
def test_what_is_asked_elsewhere_is_pointed_to(x, name, words):
    with pytest.raises(ValueError) as refused:
        measure.pose_posterior(x, name)
    assert all(word in str(refused.value) for word in words)
