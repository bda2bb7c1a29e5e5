"""World models with symmetric embeddings: pictures are read freely, what actions do to latents is equivariant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from torch import nn

from learnsym import nets
from learnsym._settings import NotNegative, check_settings
from learnsym.actions import Image, Jointly, On
from learnsym.data import Signature
from learnsym.equivariant import EquivariantLinear, FeatureField, FieldType, GroupConv2d
from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.groups import Cyclic
from learnsym.methods._method import Method, Setup, learns
from learnsym.nets.world import ARMS, Layers, ObjectModel, free_conv
from learnsym.objectives import Objective, Supervised
from learnsym.objectives.choosers import Chooser
from learnsym.relax import GainedLayer, ScaledPathway
from learnsym.symmetry import Symmetry

WIDEST = 4
"""Times the width of the plain twin: exact layers have a quarter of the weights of free ones."""


@dataclass(frozen=True, kw_only=True)
class WorldModel(Method):
    """A latent state for each object, which actions move: a contrastive model of transitions on a grid.

    Quarter turns move actions in a known way, and pictures perhaps in another. `plain` has no symmetry; `exact` that of
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
        objects, channels, size = _transitions(setup.data)
        layers = self._layers(setup)

        def make(layers: Layers, width: int) -> nn.Module:
            return ObjectModel(objects, channels, size, width, layers=layers)

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
        """Quarter turns of both pictures with the action; of twins that read pictures freely, latents may turn in
        another way than is measured."""
        objects, _, _ = _transitions(data)
        group = Cyclic(4)
        pushes = FeatureField(FieldType.regular(group, objects))
        moved = (On("before", Image()), On("action", pushes), On("after", Image()))
        return Symmetry(group, Jointly(moved), FeatureField(FieldType.regular(group, 2 * objects)))

    def moved(self, data: Signature) -> Symmetry | None:
        """None: scenes on a grid have no poses."""
        return None


def _transitions(data: Signature) -> tuple[int, int, int]:
    """Objects, colours and size of pictures.

    Raises:
        ValueError: for data that are no transitions of objects on a grid.
    """
    shapes = dict(data.shapes)
    before, action, after = (shapes.get(key, ()) for key in ("before", "action", "after"))
    if len(before) != 3 or before != after or before[1] != before[2] or len(action) != 1 or action[0] % 4:
        given = ", ".join(f"{key} {shape}" for key, shape in data.shapes) or f"one tensor {data.in_shape}"
        raise ValueError(
            f"method.name: got 'world_model' for examples of {given}; it takes transitions, square pictures `before` "
            "and `after` (C, N, N) and `action` (4 for each object), such as data.name pushed-shapes"
        )
    return action[0] // 4, before[0], before[1]
