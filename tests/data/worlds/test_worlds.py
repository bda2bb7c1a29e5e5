"""Laws of worlds with actions: what turns with the scene, what does not, and what is refused."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import Image
from learnsym.data.worlds import DIRECTIONS, Blocks, FrameWorld, GridWorld, Shapes
from learnsym.equivariant import FieldType
from learnsym.groups import Cyclic

QUARTER = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
REGULAR = FieldType.regular(Cyclic(4), 3)


def drawn(world, n=60, seed=0):
    random = torch.Generator().manual_seed(seed)
    return world.states(n, random), world.actions(n, random)


def test_dynamics_turn_with_the_scene():
    world = GridWorld(objects=3, cells=3)
    state, action = drawn(world)
    turned = world.step(world.turned(state, 1), REGULAR.mix(QUARTER.expand(60, 2, 2), action))
    assert torch.equal(turned, world.turned(world.step(state, action), 1))


def test_a_stuck_direction_breaks_them_and_moves_nothing():
    world = GridWorld(objects=3, stuck=("left",))
    state, action = drawn(world)
    left = action.unflatten(1, (3, 4)).sum(1)[:, 2] > 0
    assert left.any() and torch.equal(world.step(state, action)[left], state[left])
    turned = world.step(world.turned(state, 1), REGULAR.mix(QUARTER.expand(60, 2, 2), action))
    assert not torch.equal(turned, world.turned(world.step(state, action), 1))


def test_pushes_move_one_object_by_one_cell_or_nothing():
    world = GridWorld(objects=3, cells=3)
    state, action = drawn(world)
    moved = (world.step(state, action) - state).abs().sum((1, 2))
    assert set(moved.tolist()) == {0, 1}
    assert all(len({tuple(cell) for cell in each.tolist()}) == 3 for each in world.step(state, action))
    assert torch.equal(world.step(state, 0 * action), state)


@pytest.mark.parametrize(("view", "turns"), [(Shapes(), True), (Blocks(0.0), True), (Blocks(30.0), False)])
def test_pictures_turn_with_the_scene_unless_the_camera_is_tilted(view, turns):
    world = GridWorld(view=view, objects=3)
    state, _ = drawn(world, 20)
    moved = Image()(QUARTER.expand(20, 2, 2), world.pictures(state).float())
    assert torch.equal(moved, world.pictures(world.turned(state, 1)).float()) == turns


@pytest.mark.parametrize("view", [Shapes(), Blocks(0.0), Blocks(45.0)])
def test_pictures_tell_states_apart(view):
    world = GridWorld(view=view, objects=2, cells=3, size=24)
    every = torch.cartesian_prod(*[torch.arange(3)] * 4).view(-1, 2, 2)
    states = every[(every[:, 0] != every[:, 1]).any(1)]
    assert len(world.pictures(states).flatten(1).unique(dim=0)) == len(states) == 72


def test_near_blocks_hide_far_ones():
    world = GridWorld(view=Blocks(60.0), objects=2)
    alone, behind = torch.tensor([[[2, 1], [0, 0]]]), torch.tensor([[[2, 1], [2, 0]]])
    red = torch.tensor([230, 60, 60], dtype=torch.uint8).view(3, 1, 1)
    seen = [(world.pictures(state)[0] == red).all(0).sum() for state in (alone, behind)]
    assert 0 < seen[1] <= seen[0]


def test_transitions_are_those_of_the_seed_and_of_the_pushes_that_are_asked_for():
    world = GridWorld(objects=2)
    one, same, other = (world.transitions(30, ("up", "right"), seed) for seed in (1, 1, 2))
    assert all(torch.equal(one.x[key], same.x[key]) for key in one.x)
    assert not torch.equal(one.x["before"], other.x["before"])
    assert set(one.x["action"].unflatten(1, (2, 4)).sum(1).argmax(1).tolist()) == {0, 1}
    assert one.variant == "pushes up, right" and one.moves == "before"
    assert dict(one.signature.shapes) == {"before": (3, 32, 32), "action": (8,), "after": (3, 32, 32)}
    assert ls.data.Signature.from_json(one.signature.to_json()) == one.signature


def test_tests_have_all_pushes_where_training_has_some():
    splits = ls.data.load_splits(ls.data.DataConfig(name="pushed-shapes-up", train=40, val=20, test=80))
    kinds = [set((part.x["action"].argmax(1) % 4).tolist()) for part in (splits.train, splits.val, splits.test)]
    assert kinds == [{1}, {1}, {0, 1, 2, 3}]


def test_frames_are_turned_by_actions_and_seen_alike():
    world = FrameWorld()
    transitions = world.transitions(50, seed=3)
    after = transitions.y.view(-1, 3, 3)
    action = transitions.x["action"].view(-1, 3, 3)
    before = action.mT @ after
    assert torch.allclose(world.pictures(before), transitions.x["before"], atol=1e-5)
    assert torch.allclose(world.pictures(after), transitions.x["after"])
    assert torch.allclose(after.mT @ after, torch.eye(3).expand(50, 3, 3), atol=1e-5)
    angle = torch.arccos((FrameWorld(turns="small").actions(9, torch.Generator()).diagonal(0, 1, 2).sum(1) - 1) / 2)
    assert torch.allclose(angle, torch.full((9,), 2 * torch.pi / 30), atol=1e-3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: GridWorld(size=16), r"^size: got 16 pixels for 5 cells, must be at least 20"),
        (lambda: GridWorld(size=31), r"^size: got 31 pixels for 5 cells of 6, .* take 32"),
        (lambda: GridWorld(objects=7), r"^objects: got 7, must be 1 to 6"),
        (lambda: GridWorld(objects=4, cells=2, size=8), r"^cells: got 2 .* take more"),
        (lambda: GridWorld(stuck=("north",)), r"^stuck: got \['north'\], must be one or more of right, up, left, down"),
        (lambda: GridWorld().transitions(5, ()), r"^directions: got \[\], must be one or more"),
        (lambda: GridWorld().transitions(0), r"^n, steps: got 0, 1, must be at least 1"),
        (lambda: GridWorld().rollouts(5, 0), r"^n, steps: got 5, 0, must be at least 1"),
        (lambda: Blocks(90.0), r"^tilt: got 90\.0, must be within \[0, 80\]"),
        (lambda: FrameWorld(size=8), r"^size: got 8, must be at least 9"),
        (lambda: FrameWorld(turns="none"), r"^turns: got 'none', must be any or small"),
        (lambda: FrameWorld().transitions(0), r"^n: got 0, must be at least 1"),
    ],
)
def test_bad_worlds_are_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_actions_out_of_range_are_refused():
    world = GridWorld(objects=2)
    state, action = drawn(world, 4)
    with pytest.raises(ValueError, match=r"^action: got shape \(4, 12\), must be \(N, 8\), four directions"):
        world.step(state, torch.zeros(4, 12))
    with pytest.raises(ValueError, match=r"^action: has other values than 0 and a single 1"):
        world.step(state, 2 * action)
    with pytest.raises(ValueError, match=r"^action: has other values than 0 and a single 1"):
        world.step(state, torch.ones(4, 8))


def test_directions_are_in_the_order_of_quarter_turns():
    one = torch.nn.functional.one_hot(torch.tensor([DIRECTIONS.index("right")]), 4).float()
    moved = FieldType.regular(Cyclic(4), 1).mix(QUARTER[None], one)
    assert DIRECTIONS[int(moved.argmax())] == "up"


def test_another_size_is_refused():
    with pytest.raises(ValueError, match=r"^data\.size: got 16 for pushed objects, drawn at 32 pixels"):
        ls.data.load_splits(ls.data.DataConfig(name="pushed-shapes", size=16, train=4, val=4, test=4))
