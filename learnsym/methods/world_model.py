"""World models with symmetric embeddings: pictures are read freely, what actions do to latents is equivariant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

from torch import nn

from learnsym import nets
from learnsym._settings import NotNegative, check_settings
from learnsym.actions import Image, Jointly, On
from learnsym.data import Signature
from learnsym.equivariant import EquivariantLinear, FeatureField, FieldType, GroupConv2d
from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.methods._method import Method, Setup, learns
from learnsym.nets.world import ARMS, Layers, ObjectModel, SceneModel, free_conv
from learnsym.nets.world.encoder import QUARTERS
from learnsym.nets.world.scene import LATENT, SQUARE, torque_type
from learnsym.objectives import Objective, Supervised
from learnsym.objectives.choosers import Chooser
from learnsym.relax import GainedLayer, ScaledPathway
from learnsym.symmetry import Symmetry

WIDEST = 4
"""Times the width of the plain twin: exact layers have a quarter of the weights of free ones, or an eighth."""
JOINTS = 2
"""Torques of an action by which transitions of an arm are told from those of objects, which have 4 numbers each."""


@dataclass(frozen=True, kw_only=True)
class WorldModel(Method):
    """A latent state for each object or of a scene, which actions move: a contrastive model of transitions.

    On a grid quarter turns move pushes in a known way; flips change the sign of an arm's torques, and quarter turns
    leave them alone; pictures may move in another way. `plain` has no symmetry; `exact` that of
    latents and that of pixels, which is wrong where a camera is tilted; `fixed` is the symmetric embedding, whose
    pictures are read freely and whose latents have the symmetry; `learned` has gains on what `relaxed` names, so that
    it may be any of these. All have about as many parameters.
    """

    name: Literal["world_model"] = "world_model"
    relaxed: Literal["pictures", "transition", "both"] = "both"
    """Learned: where layers have a free branch behind a gain: the convolutions of pictures (the transition stays
    exact), the maps of the transition (pictures are read freely), or both."""
    start: NotNegative = 1.0
    """Gain of every such layer at the start; the choosers modulation and forward_selection begin at 0."""

    title = "world models: symmetric embeddings, and gains from exact to free"
    place = "weights"
    papers = (("Park et al. 2022", "2204.11371"),)
    nets = ("world",)
    twins = ("learned", "plain", "fixed", "exact")
    choosers = (
        *("resilience", "training", "validation", "equality", "ridge", "schedule"),
        *("modulation", "forward_selection"),
    )
    losses = ("contrastive",)

    def __post_init__(self) -> None:
        check_settings(self, "method.")

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        return ("start",) if chooser.starts_exact else ()

    def model(self, setup: Setup) -> nn.Module:
        make, layers = _world(setup.data).make, self._layers(setup)
        # as many parameters as the plain twin of the width that is asked for
        wanted = nets.parameter_count(make(ARMS["none"], setup.net.width))
        model = make(layers, nets.matched_width(partial(make, layers), wanted, WIDEST * setup.net.width))
        for layer in model.modules():
            if isinstance(layer, GainedLayer):
                layer.gain.value.requires_grad_(not setup.chooser.sets_gains)
        return model

    def _layers(self, setup: Setup) -> Layers:
        start = 0.0 if setup.chooser.starts_exact else self.start

        def gained(exact: type[ExactLayer], *types: Any, **options: Any) -> nn.Module:  # noqa: ANN401  as of layers
            return ScaledPathway(exact(*types, **options), start=start)

        pictures = partial(gained, GroupConv2d) if self.relaxed != "transition" else free_conv
        transition = partial(gained, EquivariantLinear) if self.relaxed != "pictures" else EquivariantLinear
        return {
            "learned": Layers(pictures, EquivariantLinear, transition),
            "plain": ARMS["none"],
            "fixed": ARMS["ours"],
            "exact": ARMS["full"],
        }[setup.twin]

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        task = Supervised(setup.loss.function())
        return setup.chosen(task) if learns(setup.twin) else task

    def tested(self, data: Signature) -> Symmetry:
        """Quarter turns of both pictures, and flips of an arm's, with the action; of twins that read pictures freely,
        latents may move in another way than is measured."""
        world = _world(data)
        moved = (On("before", Image()), On("action", FeatureField(world.action)), On("after", Image()))
        return Symmetry(world.action.group, Jointly(moved), FeatureField(world.latents))

    def moved(self, data: Signature) -> Symmetry | None:
        """None: scenes have no poses."""
        return None


class _World(NamedTuple):
    """What the shapes of transitions say: the model of given layers and width, and how actions and latents move."""

    make: Callable[[Layers, int], nn.Module]
    action: FieldType
    latents: FieldType


def _world(data: Signature) -> _World:
    """Objects that are pushed on a grid, or a scene that two torques move.

    Raises:
        ValueError: for data that are neither.
    """
    shapes = dict(data.shapes)
    before, action, after = (shapes.get(key, ()) for key in ("before", "action", "after"))
    known = len(action) == 1 and (action[0] == JOINTS or action[0] % 4 == 0)
    if len(before) != 3 or before != after or before[1] != before[2] or not known:
        given = ", ".join(f"{key} {shape}" for key, shape in data.shapes) or f"one tensor {data.in_shape}"
        raise ValueError(
            f"method.name: got 'world_model' for examples of {given}; it takes transitions, square pictures `before` "
            f"and `after` (C, N, N) and `action` (4 for each object, or {JOINTS} torques), such as data.name "
            "pushed-shapes or reacher"
        )
    channels, size, _ = before
    if action[0] == JOINTS:
        return _World(
            lambda layers, width: SceneModel(JOINTS, channels, size, width, layers=layers),
            torque_type(JOINTS),
            FieldType.regular(SQUARE, 2 * LATENT),
        )
    objects = action[0] // 4
    return _World(
        lambda layers, width: ObjectModel(objects, channels, size, width, layers=layers),
        FieldType.regular(QUARTERS, objects),
        FieldType.regular(QUARTERS, 2 * objects),
    )
