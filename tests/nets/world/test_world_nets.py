"""World models are equivariant where they say so, and take what they are built for."""

from typing import Any

import pytest
import torch

import learnsym as ls
from learnsym.data.worlds import GridWorld
from learnsym.equivariant import FieldType
from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.groups import SO3, Cyclic, Dihedral
from learnsym.methods import registry
from learnsym.nets.world import (
    ARMS,
    FrameEncoder,
    FrameModel,
    FreeTurn,
    ObjectEncoder,
    ObjectModel,
    ObjectTransition,
    SceneModel,
    SceneTransition,
    Turn,
    orthonormal,
)
from learnsym.nets.world.scene import torque_type

QUARTER = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
REGULAR = FieldType.regular(Cyclic(4), 3)


def moved(x, times):
    """Regular fields of three objects, turned."""
    g = torch.linalg.matrix_power(QUARTER, times).expand(len(x), 2, 2)
    return REGULAR.mix(g, x.flatten(1)).view(x.shape)


@pytest.mark.parametrize("arm", ["full", "ours"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_transitions_are_equivariant_under_quarter_turns(arm, times):
    net = ObjectTransition(3, width=1, layers=ARMS[arm]).double()
    z, action = torch.randn(5, 3, 4).double(), torch.randn(5, 12).double()
    assert (net(moved(z, times), moved(action, times)) - moved(net(z, action), times)).abs().max() <= 1e-10


@pytest.mark.parametrize("arm", list(ARMS))
def test_transitions_are_equivariant_under_permutations(arm):
    net = ObjectTransition(3, width=1, layers=ARMS[arm]).double()
    z, action, order = torch.randn(5, 3, 4).double(), torch.randn(5, 3, 4).double(), torch.tensor([2, 0, 1])
    mixed = net(z[:, order], action[:, order].flatten(1))
    assert (mixed - net(z, action.flatten(1))[:, order]).abs().max() <= 1e-10


@pytest.mark.parametrize("arm", ["full", "ours"])
def test_embeddings_are_equivariant_under_quarter_turns(arm):
    net = ObjectEncoder(3, width=1, size=20, layers=ARMS[arm]).double().embedding
    hidden = FieldType.regular(Cyclic(4), 4)
    x, g = torch.randn(5, hidden.size).double(), QUARTER.expand(5, 2, 2)
    turned = FieldType.regular(Cyclic(4), 1).mix(g, net(x))
    assert (net(hidden.mix(g, x)) - turned).abs().max() <= 1e-10


@pytest.mark.parametrize(("arm", "exact"), [("full", True), ("ours", False), ("none", False)])
def test_only_the_full_model_turns_with_pixels(arm, exact):
    transitions = GridWorld(objects=3, size=20).transitions(24)
    x = {key: part.double() for key, part in transitions.inputs.items()}
    model = ObjectModel(3, size=20, width=1, layers=ARMS[arm]).double()
    error = ls.measure.equivariance_error(model, x, registry["world_model"]().tested(transitions.signature)).mean
    assert (error <= 1e-10) == exact


def test_free_transitions_are_not_equivariant():
    net = ObjectTransition(3, width=1, layers=ARMS["none"]).double()
    z, action = torch.randn(5, 3, 4).double(), torch.randn(5, 12).double()
    assert (net(moved(z, 1), moved(action, 1)) - moved(net(z, action), 1)).abs().max() > 1e-3


def test_rollouts_apply_the_transition_to_its_own_outcome():
    model = ObjectModel(3, size=20, width=1)
    rollouts = GridWorld(objects=3, size=20).rollouts(4, 2)
    before, actions = rollouts.before / 255, rollouts.actions
    once = model.transition(model.encoder(before), actions[:, 0])
    assert torch.allclose(model.rollout(before, actions), model.transition(once, actions[:, 1]).flatten(1))


@pytest.mark.parametrize("arm", list(ARMS))
def test_plain_twins_compute_the_same(arm):
    x = GridWorld(objects=2, size=20).transitions(3).inputs
    model = ObjectModel(2, size=20, width=1, layers=ARMS[arm])
    plain = model.plain()
    assert torch.allclose(plain(x), model(x), atol=1e-5)
    assert not any(isinstance(module, ExactLayer) for module in plain.modules())


def test_costs_are_counted_of_inputs_of_several_parts():
    x = GridWorld(objects=2, size=20).transitions(3).inputs
    assert ls.nets.cost.flops(ObjectModel(2, size=20, width=1), x).training > 0


def test_frames_are_rotations_that_turn_with_their_vectors():
    y, g = torch.randn(6, 6).double(), SO3().haar(6, dtype=torch.float64)
    frame = orthonormal(y)
    assert (frame.mT @ frame - torch.eye(3)).abs().max() <= 1e-10
    assert (torch.linalg.det(frame) - 1).abs().max() <= 1e-10
    turned = orthonormal((g @ y.unflatten(1, (2, 3)).mT).mT.flatten(1))
    assert (turned - g @ frame).abs().max() <= 1e-10


def test_turns_are_equivariant_under_conjugation():
    g, a, z = SO3().haar(18, dtype=torch.float64).split(6)
    turned = Turn()(g @ z, (g @ a @ g.mT).flatten(1))
    assert (turned - g @ Turn()(z, a.flatten(1))).abs().max() <= 1e-10
    free = FreeTurn(8).double()
    assert (free(g @ z, (g @ a @ g.mT).flatten(1)) - g @ free(z, a.flatten(1))).abs().max() > 1e-3


def test_frame_models_take_free_latents():
    x = ls.data.worlds.FrameWorld().transitions(3).inputs
    assert FrameModel(FrameEncoder(width=8, frame=False), FreeTurn(8))(x).shape == (3, 18)


@pytest.mark.parametrize("size", [4, 30])
def test_pictures_that_the_first_convolution_cannot_join_are_refused(size):
    with pytest.raises(ValueError, match=rf"^size: got {size}, must be a multiple of 4 pixels from 8"):
        ObjectEncoder(2, size=size)


@pytest.mark.parametrize(("arm", "exact"), [("full", True), ("ours", False), ("none", False)])
def test_only_the_full_scene_model_moves_with_pixels(arm, exact):
    model = SceneModel(size=16, width=1, layers=ARMS[arm]).double()
    g = Dihedral(4).elements(dtype=torch.float64)
    x = {"before": torch.rand(8, 6, 16, 16), "action": torch.rand(8, 2), "after": torch.rand(8, 6, 16, 16)}
    x = {key: part.double() for key, part in x.items()}
    image, torques = ls.actions.Image(), torque_type(2)
    moved = {"before": image(g, x["before"]), "action": torques.mix(g, x["action"]), "after": image(g, x["after"])}
    error = (model(moved) - model.out_type.mix(g, model(x))).abs().max()
    assert (error <= 1e-10) == exact


@pytest.mark.parametrize(("arm", "exact"), [("full", True), ("ours", True), ("none", False)])
def test_scene_transitions_are_equivariant_with_torques_that_flips_change(arm, exact):
    net = SceneTransition(width=1, layers=ARMS[arm]).double()
    g = Dihedral(4).elements(dtype=torch.float64)
    state = FieldType.regular(Dihedral(4), 4)
    z, action = torch.randn(8, 32).double(), torch.randn(8, 2).double()
    signs = torch.linalg.det(g)[:, None]
    error = (net(state.mix(g, z), signs * action) - state.mix(g, net(z, action))).abs().max()
    assert (error <= 1e-10) == exact


def test_rollouts_and_plain_twins_of_scenes():
    model = SceneModel(size=16, width=1)
    before, actions = torch.rand(3, 6, 16, 16), torch.rand(3, 2, 2)
    z = model.transition(model.transition(model.encoder(before), actions[:, 0]), actions[:, 1])
    assert torch.allclose(model.rollout(before, actions), z)
    plain: Any = model.plain()
    assert torch.allclose(plain.rollout(before, actions), z, atol=1e-5)
    assert not any(isinstance(module, ExactLayer) for module in plain.modules())


def test_scenes_of_an_odd_size_are_refused():
    with pytest.raises(ValueError, match=r"^size: got 20, must be a multiple of 8 pixels from 16"):
        SceneModel(size=20)
