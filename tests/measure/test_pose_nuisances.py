"""Controls of the law of poses: each takes its cue away, and leaves what is alike at all angles alike."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from learnsym import measure
from learnsym.actions import Image, Invariant, PointCloud, Volume
from learnsym.measure.pose.nuisances import clouds, edges, frame, lattice, light, place, readout
from learnsym.measure.pose.nuisances.answer import (
    has_direction,
    is_hidden,
    is_hint,
    is_of_objects,
    is_read_well,
    is_wider,
    known,
    stands,
    without_remainder,
)
from learnsym.measure.pose.nuisances.control import controlled, controls_of
from learnsym.measure.pose.study import Study

SIDE = 24
ROUND = (2 * math.pi * torch.arange(240) / 240)[:, None, None]


def ellipses(turn=ROUND, shift=(0.0, 0.0), longer=1.0, noise=0.02):
    """Images of ellipses with a bright end, turned by radians, about a point and with pixels of any proportions."""
    u = torch.arange(SIDE) - (SIDE - 1) / 2
    x, y = (u - shift[0]) / longer, -u[:, None] - shift[1]
    a, b = x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()
    bright = torch.exp(-0.5 * (a / 4).square() - 0.5 * (b / 2).square()) * (1 + 0.1 * a)
    return (bright + noise * torch.randn(len(turn), SIDE, SIDE, generator=torch.Generator().manual_seed(0)))[:, None]


def random():
    return torch.Generator().manual_seed(1)


def ramp():
    return torch.linspace(-1, 1, SIDE).expand(SIDE, SIDE)


@pytest.mark.parametrize(
    ("action", "size"), [(Image(), (12, 2, 16, 16)), (Volume(), (12, 1, 12, 12, 12)), (PointCloud(), (12, 9, 3))]
)
@pytest.mark.parametrize("closed", [True, False])
def test_controls_keep_kinds_and_are_reproducible(action, size, closed):
    x = torch.rand(size)
    controls = controls_of(action, closed)
    assert len(controls) >= (2 if closed else 1)
    found = controlled(x, controls, 3)
    assert found.isfinite().all() and (found.dim(), found.dtype, len(found)) == (x.dim(), x.dtype, len(x))
    assert torch.equal(found, controlled(x, controls, 3))
    assert all(control.named(x) and not control.named(x).endswith(".") for control in controls)


def test_what_does_not_move_has_no_camera():
    assert controls_of(Invariant(), closed=True) == []


@pytest.mark.parametrize("shift", [(0.3, 0.0), (-0.2, 0.4)])
def test_place_brings_objects_to_the_middle(shift):
    straight = place.straightened(Image(), ellipses(shift=shift), random())
    assert place.centre_of(ellipses(shift=shift)).norm() > 0.25 > 2 * place.centre_of(straight).norm()


def alone(shift):
    """Ellipses on a ground of zeros, each shifted by whole pixels of its own."""
    x = (ellipses(noise=0.0) - 0.1).clamp(min=0)
    return torch.stack([each.roll((-int(up), int(right)), (1, 2)) for each, (right, up) in zip(x, shift, strict=True)])


def test_objects_that_stand_alone_are_brought_to_the_middle_each_by_itself():
    shift = torch.randint(-3, 4, (len(ROUND), 2), generator=random())
    x = alone(shift)
    assert place.stand_alone(x) and not place.stand_alone(ellipses()) and not place.stand_alone(x + 0.15 * ramp())
    straight = place.centred_each(Image(), x, random())
    # what is left are the random shifts, by up to a pixel along each axis
    assert place.centres_of(x).norm(dim=1).max() > 3.0 > 1.8 > place.centres_of(straight).norm(dim=1).max()
    assert "turn about another point" in place.named_places(x)


@pytest.mark.parametrize("count", [8, 40])
def test_without_a_direction_p_values_of_edges_are_uniform(count):
    """Objects at all angles, few of them too: a level of 10 % is exceeded in 10 % of the draws, within four errors."""
    random = torch.Generator().manual_seed(0)
    u = torch.linspace(-1, 1, 12)
    draws, values = 300, []
    for _ in range(draws):
        angle = 2 * torch.pi * torch.rand(count, 1, 1, generator=random)
        across = u * angle.cos() + u[:, None] * angle.sin()
        x = torch.exp(-8 * across**2) + 0.3 * torch.randn(count, 12, 12, generator=random)
        values.append(edges.direction_p_value(x[:, None]))
    found = torch.tensor(values)
    for level in (0.1, 0.5):
        error = (level * (1 - level) / draws) ** 0.5
        assert abs(float((found < level).float().mean()) - level) < 4 * error


def test_light_gives_edges_no_direction():
    upright = ellipses((torch.rand(240, 1, 1, generator=random()) - 0.5) * math.pi / 2)
    assert edges.prefer_a_direction(upright) and edges.prefer_a_direction(light.relit(upright, random()))
    for x in (ellipses(), ellipses() + 0.15 * ramp(), ellipses() * (1 + 0.15 * ramp())):
        assert not edges.prefer_a_direction(x)
    turned = edges.doubled_direction(upright.rot90(1, (2, 3)))
    assert torch.allclose(turned, -edges.doubled_direction(upright), atol=1e-4)


def test_sides_of_pixels_are_made_equal():
    x = ellipses(longer=1.08)
    before, after = place.extents_of(x), place.extents_of(place.straightened(Image(), x, random()))
    assert before[0] / before[1] > 1.05 and 0.98 < after[0] / after[1] < 1.02


def test_what_is_long_itself_is_not_made_round():
    assert torch.equal(place.to_round(ellipses(torch.zeros(50, 1, 1))), torch.eye(2))


def test_background_is_taken_off_and_commutes_with_quarter_turns():
    x, slope = ellipses(), 0.3 * ramp() + 0.1 * ramp().square()
    assert torch.allclose((x + slope) - light.background(x + slope), x - light.background(x), atol=1e-4)
    assert torch.allclose(light.background(x.rot90(1, (2, 3))), light.background(x).rot90(1, (2, 3)), atol=1e-4)


def test_random_light_has_no_direction_of_its_own():
    lit = light.relit(torch.ones(4000, 1, 12, 12) + ramp()[:12, :12].square(), random()).mean((0, 1))
    assert (lit.mean(0) - lit.mean(0).flip(0)).abs().max() < 0.1


def test_frames_are_found_and_replaced():
    x = ellipses()
    x[..., :2] = 0.4
    assert frame.thickness_of(x) == [(0, 0), (2, 0)] and "2 pixels" in frame.named(x)
    clean = frame.unframed(x, random())
    assert frame.thickness_of(clean) == [(0, 0), (0, 0)] and torch.equal(clean[..., 2:], x[..., 2:])
    assert torch.equal(frame.unframed(ellipses(), random()), ellipses())


def test_slopes_are_no_frames():
    assert frame.thickness_of(ellipses() + 0.5 * ramp()) == [(0, 0), (0, 0)]


def test_lines_are_levelled_only_where_they_share_a_level():
    rows = 0.1 * torch.randn(len(ROUND), 1, SIDE, 1, generator=random())
    spoilt = ellipses() + rows
    assert readout.shared(spoilt, 2) > 0.5 > 0.1 > readout.shared(spoilt, 3)
    left = spoilt - readout.levels(spoilt, 2) - ellipses()
    assert left.std() < 0.3 * rows.std() and "rows" in readout.named(spoilt)
    assert torch.equal(readout.levelled(Image(), ellipses(), random()), ellipses())


def test_what_is_left_of_lines_is_hidden_by_lines_at_random_angles():
    spoilt = ellipses() + 0.1 * torch.randn(len(ROUND), 1, SIDE, 1, generator=random())
    level, found = readout.levels(spoilt, 2), readout.levelled(Image(), spoilt, random())
    added = found - spoilt + level
    assert 0.9 < added.std() / level.std() < 1.1
    assert abs(readout.shared(added, 2) - readout.shared(added, 3)) < 0.15 < readout.shared(spoilt, 2) / 3


def test_pictures_without_ground_are_not_levelled():
    x = lattice.blurred(torch.rand(20, 1, SIDE, SIDE), 3.0)
    assert torch.equal(readout.levelled(Image(), x, random()), x)


def test_axes_become_equally_sharp():
    soft = lattice.blurred(ellipses(noise=0.2), 0.7, (3,))
    before, after = lattice.likenesses(soft), lattice.likenesses(lattice.as_sharp(soft))
    assert before[1] - before[0] > 0.02 and abs(after[1] - after[0]) < 0.01
    assert "blur" in lattice.named(soft) and "blur" not in lattice.named(ellipses())


def enlarged(x):
    """By the nearest pixel, so that some lines are there twice."""
    return F.interpolate(F.interpolate(x, size=[19, 19], mode="area"), size=[SIDE, SIDE], mode="nearest")


def unevenness(x):
    """How the steps from column to column differ from one pair of columns in the middle to the next."""
    steps = x.diff(dim=3).square().mean((0, 1, 2))[8:-8]
    return (steps.diff().abs().mean() / steps.mean()).item()


def test_lines_that_are_there_twice_show_no_more():
    x = enlarged(ellipses())
    found = lattice.softened(Image(), x, random())
    assert unevenness(found) < 1.2 * unevenness(ellipses()) < 0.4 < 1 < unevenness(x)
    assert found.isfinite().all() and (found - x).std() < 0.5 * x.std()


def test_coarse_pixels_are_at_random_angles():
    one = ellipses()[:1].expand(400, -1, -1, -1)
    found = lattice.pixelated(Image(), one, random())
    assert (found - found.mean(0)).std() > 0.01 and unevenness(found) < 1.2 * unevenness(one)


@pytest.mark.parametrize("dim", [2, 3])
def test_random_turns_are_rotations_without_a_mean(dim):
    turns = place.random_turns(4000, dim, random())
    assert torch.allclose(turns.mT @ turns, torch.eye(dim).expand_as(turns), atol=1e-5)
    assert torch.allclose(turns.det(), torch.ones(4000), atol=1e-5) and turns.mean(0).abs().max() < 0.05


def test_clouds_are_centred_and_keep_what_does_not_move():
    x = torch.rand(30, 10, 5, generator=random()) + 4
    found = clouds.centred(x, 3)
    assert found[..., :3].mean(1).abs().max() < 1e-5 and torch.equal(found[..., 3:], x[..., 3:])


def test_sampling_leaves_points_out_at_random():
    x = torch.randn(200, 20, 3, generator=random())
    found = clouds.resampled(x, 3, random())
    nearest = torch.cdist(found, x).min(2).values
    assert found.shape == (200, 14, 3) and nearest.median() < 0.1
    assert len(clouds.resampled(x[:, :3], 3, random())[0]) == 3


def fitted_as(found, **changes):
    """A law whose fits do not tell half-widths apart, and are changed."""
    fits = {
        form: replace(fit, profile=torch.zeros_like(fit.profile), **changes) for form, fit in found.choice.fits.items()
    }
    return replace(found, choice=replace(found.choice, fits=fits))


def law(x, **options):
    return measure.pose_posterior(x, "rotation2d", steps=30, bootstrap=20, **options)


@pytest.mark.slow
def test_slope_of_light_is_no_law_of_the_objects():
    found = law(ellipses() + 0.15 * ramp())
    assert found.is_flat and "light" in found.cue and found.with_cue < 60
    assert found.flags[0].startswith("a cue tells poses, the light")


@pytest.mark.slow
def test_pixels_that_are_repeated_are_no_law_of_the_objects():
    found = law(enlarged(ellipses()))
    assert found.is_flat and found.with_cue < 60
    assert "off the middle" in found.cue or "grid" in found.cue


def ranged():
    return ellipses((torch.rand(240, 1, 1, generator=random()) - 0.5) * 2.4)


@pytest.fixture(scope="module")
def found():
    return law(ranged())


@pytest.mark.slow
def test_range_that_is_read_well_stands(found):
    seen = found.saliency
    assert seen is not None and seen[2:5, 2:5].max() == seen.max() > 0.02 and seen[0].abs().max() < 0.02
    assert is_of_objects(found) and is_read_well(found) and not found.cue and math.isnan(found.with_cue)
    assert known(found.posterior) > 0.3 and not is_wider(found, found)
    # the same law, hardly seen, and not seen at all
    hint, flat = fitted_as(found, evidence=20.0), fitted_as(found, told_apart=False)
    assert is_hidden(fitted_as(found, evidence=14.0), hint) and not is_hidden(flat, hint) and not is_hidden(hint, hint)
    assert is_wider(flat, found) and is_wider(flat, hint) and not is_wider(hint, flat) and not is_wider(flat, flat)
    assert (hint.low, hint.high) == (0.0, 180.0) and [is_hint(each) for each in (found, hint, flat)] == [
        False,
        True,
        False,
    ]


@pytest.mark.slow
def test_a_law_that_only_a_cue_tells_is_open_to_above(found):
    study = Study(found.axis, None, steps=2, folds=2, level=0.9, bootstrap=5, seed=0)
    upright = ellipses(torch.rand(240, 1, 1, generator=random()) - 0.5)
    assert has_direction(study, upright + 0.15 * ramp()) and not has_direction(study, ellipses() + 0.15 * ramp())
    least = replace(found, cue="the light has a slope", with_cue=found.half_width, is_least=True)
    assert (least.half_width, least.low, least.high) == (found.half_width, found.low, 180.0)
    assert least.status == "bound only" and "the light has a slope" in least.reason and "not full" in least.reason


@pytest.mark.slow
def test_of_two_ranges_the_narrower_may_be_that_of_a_cue(found):
    choice = found.choice
    two = replace(choice, form="two ranges", fits={"two ranges": replace(choice.fit, inner=10.0, inner_share=0.5)})
    mixed = replace(found, choice=replace(two, evidence={"two ranges": 0.0}))
    assert is_wider(found, mixed) and not stands(mixed) and stands(found) and not is_wider(mixed, mixed)


@pytest.mark.slow
def test_what_is_left_of_a_cue_is_no_law(found):
    unknown = replace(found, posterior=torch.full_like(found.posterior, 1 / found.posterior.shape[1]))
    # fits to other readings tell nothing either
    unknown = replace(unknown, choice=replace(found.choice, others=(found.fit,)))
    study = Study(found.axis, None, steps=2, folds=2, level=0.9, bootstrap=5, seed=0)
    left = without_remainder(found, study, unknown, ranged())
    assert left.is_flat and left.fitted == (180.0, 150.0, 180.0)
    assert without_remainder(found, study, found, ranged()) is found


@pytest.mark.slow
def test_clouds_off_the_origin_are_named():
    turn = 2 * math.pi * torch.rand(200, generator=random())
    corners = torch.tensor(
        [[1.0, 0, 0], [0.8, 0.3, 0], [0.5, 0, 0.4], [-0.6, 0.2, 0.1], [0, -0.5, 0.3], [0, 0.1, -0.7]]
    )
    c, s, o = turn.cos(), turn.sin(), torch.zeros(200)
    g = torch.stack([torch.stack([c, -s, o], 1), torch.stack([s, c, o], 1), torch.stack([o, o, o + 1], 1)], 1)
    x = (corners + 0.05 * torch.randn(200, 6, 3, generator=random())) @ g.mT
    found = measure.pose_posterior(x + torch.tensor([0.8, 0, 0]), "so3", "rotation_z", steps=250, bootstrap=20)
    assert "off the origin" in found.cue and found.is_flat
