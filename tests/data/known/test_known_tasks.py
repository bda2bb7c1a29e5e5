"""Every task has the symmetry that it says, seen by moving its examples."""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from itertools import pairwise

import pytest
import torch

from learnsym.actions import PointCloud, PointVectors
from learnsym.augment import fixed
from learnsym.data import known
from learnsym.data.bumps import blobs
from learnsym.data.known.elements import CRYSTALS, PANELS, panels, reciprocal
from learnsym.data.known.labels import SIDE, bump_of_size, bump_on_side, compass, pixel_map, two_bumps
from learnsym.data.known.laws import elements_along
from learnsym.data.known.mixed import NARROW, WIDE, two_regions
from learnsym.data.known.space import FIELDS, force
from learnsym.data.source import Sizes
from learnsym.symmetry import as_symmetry, rotation2d, so3, symmetry_by_name

TASKS = known.tasks()
TRIED = 120
EVERYWHERE = "clouds in all orientations"
RANGES = [t for t in TASKS if isinstance(t.truth, known.Range) and t.truth.notion == "distribution" and t.change]
PLAIN = [t for t in RANGES if t.family not in ("input-dependent range", "rotation off centre")]
PLAIN = [t for t in PLAIN if t.name != EVERYWHERE]
CLOSED = [t for t in TASKS if isinstance(t.truth, known.Closed) and t.family != "periodic crystal"]


def ids(task):
    return task.name


def some(task, count: int, moved: bool = True):
    """Training examples, where the data of the task are there."""
    try:
        train = unmoved(task.make, count).train
    except ValueError as error:
        pytest.skip(str(error))
    return task.change(train, 3) if moved and task.change else train


@lru_cache
def unmoved(make, count: int):
    """Examples that several tasks share."""
    return make(Sizes(count, 8, 8), 1)


def distance(a, b):
    return (a - b).flatten(1).norm(dim=1)


def coordinates(task, n: int = 6):
    """By which coordinate each example was moved, found by trying many, and how well the best one fits."""
    truth, x, before = task.truth, some(task, n).inputs, some(task, n, moved=False).inputs
    symmetry = as_symmetry(truth.symmetry)
    tried = torch.linspace(-1, 1, TRIED + 1) * max(truth.cap, max(map(abs, truth.modes)) + truth.half_width)
    elements = elements_along(symmetry, truth.generator, tried)
    apart = torch.stack([distance(symmetry.on_input(g.expand(n, -1, -1), before), x) for g in elements])
    best = apart.min(0)
    return tried[best.indices], best.values / distance(x, x.mean(0)).clamp(min=1e-6)


def test_tasks_have_names_of_their_own_and_an_even_split():
    assert len(TASKS) >= 60 and len({task.name for task in TASKS}) == len(TASKS)
    for family in {task.family for task in TASKS}:
        halves = Counter(task.half for task in TASKS if task.family == family)
        assert abs(halves["calibrate"] - halves["judge"]) <= 1
    assert known.tasks("judge") + known.tasks("calibrate") != TASKS
    assert {t.name for t in known.tasks("judge") + known.tasks("calibrate")} == {t.name for t in TASKS}
    assert all(known.task_by_name(task.name) is task for task in TASKS)


def test_what_the_oracle_is_told_is_a_law_of_its_group():
    told = [task.twins for task in TASKS if task.twins is not None and task.twins.oracle]
    laws = [fixed(symmetry_by_name(twins.symmetry).group, twins.oracle) for twins in told]
    assert len(laws) > 30


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="task: got 'spin', must be one"):
        known.task_by_name("spin")
    with pytest.raises(ValueError, match="half: got 'left', must be one of both, calibrate, judge"):
        known.tasks("left")


@pytest.mark.parametrize("task", PLAIN, ids=ids)
def test_examples_are_moved_over_the_range_that_is_said(task):
    truth = task.truth
    found, misfit = coordinates(task)
    step = 2 * truth.cap / TRIED
    assert misfit.max() < 0.15, "the generator that is named is the one that has moved them"
    apart = (found[:, None] - torch.tensor(truth.modes)).abs()
    if truth.unit == "degree":
        apart = torch.minimum(apart % 360, 360 - apart % 360)
    reach = truth.half_width * (2.5 if truth.shape == "normal" else 1)
    assert (apart.amin(1) <= reach + step).all()
    if truth.shape == "box" and truth.present:
        assert apart.amin(1).max() > truth.half_width / 2, "a box is filled to its ends"


def test_off_centre_turns_leave_another_point_than_the_middle():
    task = known.task_by_name("drawings rotation off centre 60")
    found, misfit = coordinates(task)
    assert misfit.median() > 0.2, "no turn about the middle does that"
    assert found.abs().max() < 75


def test_clouds_in_all_orientations_prefer_no_direction():
    x = some(known.task_by_name(EVERYWHERE), 2000).inputs
    x = x[:, 0] / x[:, 0].norm(dim=-1, keepdim=True)
    assert x.mean(0).norm() < 0.1
    assert torch.allclose(x.T @ x / len(x), torch.eye(3) / 3, atol=0.05)


def test_ranges_by_class():
    task = known.task_by_name("drawings turned by 15 or 90 by class")
    found, _ = coordinates(task, 20)
    even = some(task, 20).y % 2 == 0
    assert found[even].abs().max() <= NARROW + 1 and WIDE / 2 < found[~even].abs().max() <= WIDE + 1


def test_nothing_is_planted_where_there_is_no_symmetry():
    nothing = [task for task in TASKS if task.family == "no symmetry"]
    assert nothing and all(task.change is None and not task.truth.present for task in nothing)


@pytest.mark.parametrize("task", CLOSED, ids=ids)
def test_the_mean_example_keeps_an_element_exactly_where_the_law_is_closed(task):
    """A law that is closed under `g` has a mean that `g` keeps; one whose mean moves is not closed."""
    x, truth = some(task, 400).inputs, task.truth
    symmetry = as_symmetry(truth.symmetry)
    difference = symmetry.on_input(truth.element().expand(len(x), -1, -1), x) - x
    z = difference.mean(0) / (difference.std(0) / math.sqrt(len(x))).clamp(min=1e-9)
    assert (z.abs().max() < 5) == truth.holds


@pytest.mark.parametrize(("kind", "turn", "holds"), CRYSTALS)
def test_crystals_keep_the_turns_that_map_their_waves_onto_themselves(kind, turn, holds):
    waves = reciprocal(kind)
    turned = waves @ rotation2d().group.exp(torch.tensor([math.radians(turn)])).T
    nearest = torch.cdist(turned, torch.cat([waves, -waves])).amin(1)
    assert (nearest.max() < 1e-4) == holds


def test_panels_of_one_law_are_as_far_out():
    x = panels(50, 0).inputs
    u = torch.linspace(-1, 1, 12)
    centre = torch.stack([(x * u).sum((2, 3)), (x * u[:, None]).sum((2, 3))], -1) / x.sum((2, 3))[..., None]
    radius = centre.norm(dim=-1).mean(0)
    assert len(radius) == PANELS and radius[:3].std() < 0.01
    assert all(b - a > 0.1 for a, b in pairwise(radius[[3, 0, 4]].tolist()))


@pytest.mark.parametrize(("count", "jitter"), [(2, 20.0), (2, 75.0), (4, 30.0)])
def test_one_who_knows_directions_is_right_up_to_the_range_and_not_beyond(count, jitter):
    n, tolerated = 20, 180.0 / count - jitter
    data = compass(n, 0, count, jitter)
    figures = blobs(n, classes=1, size=SIDE, seed=0).inputs
    tried = torch.linspace(-180, 180, 121)
    elements = elements_along(rotation2d(), "rotation", tried)
    apart = torch.stack([distance(rotation2d().on_input(g.expand(n, -1, -1), figures), data.inputs) for g in elements])
    angle = tried[apart.argmin(0)]

    def read(moved):
        return (moved / (360 / count)).round().long() % count

    for side in (-1, 1):
        assert (read(angle + side * (tolerated - 4)) == data.y).all()
    assert (read(angle + tolerated + 25) != data.y).any()


def test_figures_are_told_apart_however_they_are_turned():
    task = known.task_by_name("drawings by figure")
    data = some(task, 60)
    templates = torch.stack([data.inputs[data.y == c].mean(0) for c in range(3)])
    turned = rotation2d().on_input(rotation2d().group.haar(60, generator=torch.Generator().manual_seed(0)), data.inputs)
    elements = elements_along(rotation2d(), "rotation", torch.arange(0.0, 360.0, 5.0))
    orbit = torch.stack([rotation2d().on_input(g.expand(3, -1, -1), templates) for g in elements])
    apart = torch.cdist(turned.flatten(1), orbit.flatten(2)).amin(0)
    assert (apart.argmin(1) == data.y).float().mean() > 0.95


@pytest.mark.parametrize("margin", [0.0, 0.25])
def test_sides_are_kept_up_to_the_margin(margin):
    data = bump_on_side(300, 0, margin)
    u = (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
    x = (data.inputs[:, 0] * u).sum((1, 2)) / data.inputs[:, 0].sum((1, 2))
    kept, lost = max(margin - 0.03, 0.0), margin + 0.15
    assert all(((x + side * kept > 0) == (data.y == 1)).float().mean() > 0.98 for side in (-1, 1))
    assert ((x + lost > 0) == (data.y == 1)).float().mean() < 0.95


def test_shifts_keep_sizes_and_distances():
    for sample, threshold in ((bump_of_size, 0.18**2), (two_bumps, 0.29**2)):
        data = sample(200, 0)
        x, u = data.inputs[:, 0], (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
        mass = x.sum((1, 2))
        for across in (True, False):
            assert torch.isfinite((x * (u if across else u[:, None])).sum((1, 2)) / mass).all()
        variance = sum(
            (x * v.square()).sum((1, 2)) / mass - ((x * v).sum((1, 2)) / mass).square() for v in (u, u[:, None])
        ) / (2 if sample is bump_of_size else 1)
        width = 0 if sample is bump_of_size else 2 * 0.12**2
        assert ((variance - width > threshold) == (data.y == 1)).float().mean() > 0.9


@pytest.mark.parametrize("moves", [True, False])
def test_maps_move_along_or_do_not(moves):
    data = pixel_map(20, 0, moves)
    bright = data.inputs[:, 0].rot90(2, (1, 2)) > 0.5
    assert torch.equal(data.y.rot90(2, (1, 2)) == 1, bright) == moves


@pytest.mark.parametrize("truth", FIELDS, ids=str)
def test_forces_turn_along_about_the_axis_that_is_said(truth):
    x = torch.randn(20, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def error(axis):
        g = so3().group.exp(0.7 * torch.tensor([axis], dtype=torch.float64)).expand(20, -1, -1)
        moved = PointVectors()(g, force(x, truth))
        return float((force(PointCloud()(g, x), truth) - moved).norm() / moved.norm())

    errors = {axis: error(axis) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, 0.8))}
    kept = {axis for axis, value in errors.items() if value < 1e-6}
    expected = {"none": set(), "all rotations": set(errors), "one axis": {truth.direction}}[truth.kept]
    assert kept == expected


def test_only_one_region_is_turned():
    upright, turned = two_regions(30, 0, 0.0).inputs, two_regions(30, 0, 180.0).inputs
    left, right = slice(0, SIDE // 2 - 1), slice(SIDE // 2 + 1, SIDE)
    assert torch.allclose(upright[..., left], turned[..., left], atol=1e-6)
    assert (distance(upright[..., right], turned[..., right]) > 0.3).float().mean() > 0.8
