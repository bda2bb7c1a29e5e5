"""Laws of the reacher: what dynamics and pictures do under turns and flips, and what is refused in a sentence."""

import math
import sys

import pytest
import torch

import learnsym as ls
from learnsym.actions import Image
from learnsym.data.worlds import Reacher
from learnsym.groups import Dihedral
from learnsym.methods import Setup, registry
from learnsym.nets import parameter_count
from learnsym.nets.world import ARMS, SceneModel
from learnsym.nets.world.scene import torque_type

SQUARE = Dihedral(4).elements(dtype=torch.float64)


def drawn(world, n=8, seed=0):
    random = torch.Generator().manual_seed(seed)
    return world.states(n, random), world.actions(n, random)


def wrapped(state):
    """Angles as points of the circle, beside velocities."""
    angles = state[:, [0, 2]]
    return torch.cat([angles.cos(), angles.sin(), state[:, 1:2]], 1)


@pytest.fixture
def _pictures():
    """Skips where nothing can be drawn."""
    pytest.importorskip("mujoco")
    try:
        Reacher().pictures(torch.zeros(1, 3, 2, dtype=torch.float64))
    except ValueError as error:
        pytest.skip(str(error))


def test_dynamics_move_with_turns_and_flips():
    pytest.importorskip("mujoco")
    world = Reacher()
    state, action = drawn(world)
    after = world.step(state, action)
    moved = world.step(world.moved(state, SQUARE), torque_type(2).mix(SQUARE, action))
    assert (wrapped(moved) - wrapped(world.moved(after, SQUARE))).abs().max() <= 1e-10
    unmoved = world.step(world.moved(state, SQUARE), action)
    assert (wrapped(unmoved) - wrapped(world.moved(after, SQUARE))).abs().max() > 0.1


def test_torques_move_the_arm_and_friction_stops_it():
    pytest.importorskip("mujoco")
    world = Reacher()
    state, action = drawn(world)
    moved = world.step(state, action)[:, 0] - world.step(state, 0 * action)[:, 0]
    assert torch.equal(world.step(state, action)[:, 2], state[:, 0])
    assert (moved.abs().mean(0) > 0.05).all() and (moved.abs().mean(0) < 1).all()
    for _ in range(60):
        state = world.step(state, 0 * action)
    assert state[:, 1].abs().max() < 1e-2


@pytest.mark.usefixtures("_pictures")
def test_pictures_turn_with_an_arm_seen_from_above_and_without_goal():
    errors = {}
    for tilt, goal in ((0.0, None), (0.0, (0.09, 0.13)), (45.0, None)):
        world = Reacher(tilt=tilt, goal=goal)
        state, _ = drawn(world)
        seen = world.pictures(state).float()
        expected = Image()(SQUARE.float(), seen)
        errors[tilt, goal] = ((world.pictures(world.moved(state, SQUARE)) - expected).abs().mean() / seen.mean()).item()
    turns, with_goal, tilted = errors.values()
    # a pixel on an edge is a tie, which the renderer breaks by one side of the screen
    assert turns < 0.03 and with_goal > 0.1 and tilted > 0.3


@pytest.mark.usefixtures("_pictures")
def test_transitions_are_those_of_the_seed_and_pictures_share_a_step():
    world = Reacher(size=16)
    one, same, other = (world.transitions(6, (0.0, 1.0), seed) for seed in (1, 1, 2))
    assert all(torch.equal(one.x[key], same.x[key]) for key in one.x)
    assert not torch.equal(one.x["before"], other.x["before"])
    assert torch.equal(one.x["before"][:, 3:], one.x["after"][:, :3])
    assert (one.x["action"][:, 1] >= 0).all() and (one.x["action"][:, 0] < 0).any()
    assert dict(one.signature.shapes) == {"before": (6, 16, 16), "action": (2,), "after": (6, 16, 16)}
    assert one.variant == "torques of the elbow in [0.0, 1.0]"
    assert one.x["before"].float().std() > 5


@pytest.mark.usefixtures("_pictures")
def test_one_way_is_of_training_alone():
    splits = ls.data.load_splits(ls.data.DataConfig(name="reacher-one-way", train=6, val=3, test=12))
    assert all((part.x["action"][:, 1] >= 0).all() for part in (splits.train, splits.val))
    assert (splits.test.x["action"][:, 1] < 0).any()


@pytest.mark.usefixtures("_pictures")
def test_the_method_takes_torques_and_knows_how_they_move():
    data = Reacher(size=16).transitions(8)
    loss = ls.objectives.LossConfig(name="contrastive")
    setup = Setup(net=ls.nets.NetConfig(name="world", width=1), data=data.signature, loss=loss, twin="plain")
    method = registry["world_model"]()
    model = method.model(setup)
    ls.training.fit(model, method.objective(setup, model), ls.data.Batches(data, 4), steps=2)
    symmetry, full = method.tested(data.signature), SceneModel(size=16, width=1, layers=ARMS["full"])
    assert symmetry.group == Dihedral(4) and parameter_count(model) > parameter_count(full)
    assert ls.measure.equivariance_error(full, data.inputs, symmetry).mean < 1e-5
    assert ls.measure.equivariance_error(model, data.inputs, symmetry).mean > 0.1


def test_without_mujoco_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(ValueError, match=r"^mujoco: is not installed, .* run `pip install learnsym\[sim\]`"):
        Reacher().transitions(2)


def test_a_backend_that_is_missing_is_named(monkeypatch):
    pytest.importorskip("mujoco")
    monkeypatch.setenv("MUJOCO_GL", "vulcan")
    with pytest.raises(ValueError, match=r"^MUJOCO_GL: no picture can be drawn with 'vulcan' .*MUJOCO_GL=osmesa"):
        Reacher().transitions(2)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Reacher(tilt=90.0), r"^tilt: got 90\.0, must be within \[0, 80\]"),
        (lambda: Reacher(size=20), r"^size: got 20, must be a multiple of 8 pixels from 16"),
        (lambda: Reacher(goal=(0.3, 0.0)), r"^goal: got \(0\.3, 0\.0\), must be within reach"),
        (lambda: Reacher(goal=(math.nan, 0.0)), r"^goal: got \(nan, 0\.0\), must be within reach"),
        (lambda: Reacher().transitions(0), r"^n, steps: got 0, 1, must be at least 1"),
        (lambda: Reacher().rollouts(4, 0), r"^n, steps: got 4, 0, must be at least 1"),
        (lambda: Reacher().transitions(4, (0.5, 0.5)), r"^elbow: got \(0\.5, 0\.5\), must be a range within \[-1, 1\]"),
        (lambda: Reacher().transitions(4, (0.0, 2.0)), r"^elbow: got \(0\.0, 2\.0\), must be a range"),
        (lambda: Reacher().step(torch.zeros(4, 3, 2), torch.zeros(4, 3)), r"^action: got shape \(4, 3\) for 4 states"),
        (lambda: Reacher().step(torch.zeros(4, 3, 2), 2 * torch.ones(4, 2)), r"^action: .* within \[-1, 1\]"),
    ],
)
def test_bad_reachers_are_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
