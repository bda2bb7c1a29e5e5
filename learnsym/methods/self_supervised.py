"""Self-supervision: an encoder is trained without labels, and a probe reads what it has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Literal

import torch
from torch import nn

from learnsym._modes import evaluating
from learnsym._settings import In, Positive, check_settings, shown
from learnsym.data import Dataset, Signature
from learnsym.equivariant import FieldType
from learnsym.groups import Cyclic, Group, plane_group
from learnsym.measure.linear_classifier import fitted_classifier
from learnsym.methods._checks import group_named
from learnsym.methods._images import on_targets, refuse_clouds
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance
from learnsym.nets import NetConfig, OrbitClassifier, RegularEncoder, RegularResNet
from learnsym.nets.config import with_weights
from learnsym.nets.invariant_cnn import LATTICE
from learnsym.objectives import (
    EquivariantHead,
    InvariantContrast,
    Jigsaw,
    LearnedPoses,
    LossConfig,
    Objective,
    PretextPrediction,
    RandomViews,
    RelativePosition,
    RotationLabel,
    spread_permutations,
)
from learnsym.objectives.choosers import Chooser
from learnsym.objectives.self_supervision import Pretext, equivariant_perceptron
from learnsym.symmetry import Symmetry

USES = {
    "contrast": ("similarity", "turned", "temperature", "pose_temperature", "hidden"),
    "rotation": ("hidden",),
    "position": ("hidden",),
    "jigsaw": ("hidden", "orbits"),
    "none": (),
}
"""Settings that each pretext makes use of."""
ENCODERS = {"regular": RegularEncoder, "regular_resnet": RegularResNet}
POOLS = 2
PROBED = 5000
"""Most examples that the probe is fitted to, before each evaluation."""
TOGETHER = 256


@dataclass(frozen=True, kw_only=True)
class SelfSupervised(Method):
    """An encoder trained on a pretext alone; a linear probe on its invariants, whose accuracy is that of the run, is
    fitted to labels of training examples before each evaluation.

    `exact` is equivariant to the group, with labels that it moves or contrast that absorbs poses; `plain` has no group
    and as many channels; `learned` is the exact encoder with a learned law of relative poses (contrast only). The
    weights of a run begin another one by `net.weights`, such as one with `pretext: none` and few labels.
    """

    name: Literal["self_supervised"] = "self_supervised"
    pretext: Literal["contrast", "rotation", "position", "jigsaw", "none"] = "contrast"
    """Contrast of two random views; the turn that was made; the place of a tile beside the centre; the order of nine
    tiles; or none: the encoder is trained on the labels, too."""
    group: str = "C_4"
    """Group of the learned and the exact twin and of the labels of a pretext, C_N or D_N; tiles take C_2, C_4, D_1, D_2
    and D_4."""
    similarity: Literal["lse", "max", "mean"] = "lse"
    """Exact, contrast: how the scores of all relative poses become one similarity: log-mean-exp, maximum, mean. The
    learned twin has a law of poses in its place, the plain one the ordinary product."""
    turned: bool = False
    """Contrast: whether views are turned by random elements of the group."""
    temperature: Positive = 0.2
    """Contrast: temperature of the softmax over pictures."""
    pose_temperature: Positive = 0.1
    """Contrast, learned and exact with lse: temperature over relative poses."""
    hidden: Annotated[int, In("[0, 4096]")] = 8
    """Regular fields of the hidden layer of the head, which is thrown away after training; 0 for a linear head. Of
    contrast also those of the vectors that are compared, which are 8 without a hidden layer."""
    orbits: Annotated[int, In("[1, 1000]")] = 16
    """Jigsaw: orbits of permutations that are told apart."""

    title = "self-supervision: labels that the group moves, contrast modulo the group, a learned law of poses"
    place = "loss"
    papers = (("after Mukuta and Harada 2023", "2303.04427"),)
    nets = ("regular", "regular_resnet")
    twins = ("learned", "plain", "exact")
    choosers = ("training",)
    losses = ("cross_entropy",)
    takes_weights = True
    compiles = False

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        group = group_named("group", self.group)
        if group.order is None or len(group.components) < 2:
            raise ValueError(f"method.group: got {self.group!r}, must be C_N or D_N with two elements or more, as C_4")
        self._check_unused()
        if self.pretext in ("position", "jigsaw") and self.group not in LATTICE:
            raise ValueError(
                f"method.group: got {self.group!r} with the pretext {self.pretext}, whose tiles it does not map onto "
                "tiles; take C_2, C_4, D_1, D_2 or D_4, or the pretext rotation"
            )
        if self.pretext == "rotation" and self.group == "D_1":
            raise ValueError(
                "method.group: got 'D_1' with the pretext rotation, must have at least two turns; take C_N, D_2 or D_4"
            )

    def _check_unused(self) -> None:
        """Refuse settings that the pretext does not use."""
        own = {"name", "pretext", "group", *USES[self.pretext]}
        for each in fields(self):
            if each.name not in own and getattr(self, each.name) != each.default:
                raise ValueError(
                    f"method.{each.name}: got {shown(getattr(self, each.name))} with the pretext {self.pretext}, which "
                    "does not use it; leave it out"
                )

    @classmethod
    def takes_any_net(cls) -> bool:
        """No: features must be fields."""
        return False

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        super().check(net, loss, twins, chooser)
        if "learned" in twins and self.pretext != "contrast":
            raise ValueError(
                f"twins: got 'learned' with method.pretext {self.pretext}, which learns no law of poses; take the "
                "twins exact or plain, or the pretext contrast"
            )

    def model(self, setup: Setup) -> nn.Module:
        refuse_clouds(self.name, setup)
        check_pictures(setup.data.in_shape)
        group, channels, width = plane_group(self.group), setup.data.in_shape[0], setup.net.width
        # as many channels in every twin
        groups = (Cyclic(1), width * len(group.components)) if setup.twin == "plain" else (group, width)
        encoder = ENCODERS[setup.net.name](groups[0], channels, groups[1], setup.net.depth, POOLS)
        model = OrbitClassifier(encoder, setup.data.classes)
        model.head.requires_grad_(self.pretext == "none")  # else it is fitted, see `before_scores`
        return with_weights(setup.net, model)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        assert isinstance(model, OrbitClassifier)
        if self.pretext == "none":
            return on_targets(setup.loss)
        group, encoded = plane_group(self.group), model.encoder.out_type
        if self.pretext == "contrast":
            return setup.chosen(self._contrast(group, encoded, setup.twin))
        task = self._of_labels(group, tile_of(setup.data.in_shape, self.pretext))
        return setup.chosen(PretextPrediction(task, EquivariantHead(task, encoded, self.hidden)))

    @torch.no_grad()
    def before_scores(self, model: nn.Module, train: Dataset) -> None:
        """Fit the probe, to the first 5000 training examples."""
        assert isinstance(model, OrbitClassifier)
        if self.pretext == "none":
            return
        device = model.head.weight.device
        with evaluating(model):
            known = train.subset(torch.arange(min(len(train), PROBED)))
            parts = [model.invariants(model.encoder(x.to(device))).cpu() for x in known.inputs.split(TOGETHER)]
        found, _ = fitted_classifier(torch.cat(parts).double(), known.y.cpu(), train.classes)
        model.set_probe(found.mean, found.std, found.linear.weight, found.linear.bias)

    def _contrast(self, group: Group, encoded: FieldType, twin: str) -> Objective:
        own = len(group.components) // len(encoded.group.components)  # fields of the plain twin that make one
        compared = FieldType.regular(encoded.group, own * (self.hidden or 8))
        projection = equivariant_perceptron(encoded, compared, own * self.hidden)
        similarities = {"learned": LearnedPoses(group, self.pose_temperature), "plain": "plain"}
        return InvariantContrast(
            encoded.group,
            projection,
            RandomViews(group=group if self.turned else None),
            similarities.get(twin, self.similarity),
            self.temperature,
            self.pose_temperature,
        )

    def _of_labels(self, group: Group, tile: int) -> Pretext:
        if self.pretext == "rotation":
            return RotationLabel(group)
        if self.pretext == "position":
            return RelativePosition(group, tile)
        return Jigsaw(group, tile, spread_permutations(group, self.orbits))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)


def check_pictures(in_shape: Sequence[int]) -> None:
    """Refuse what is no picture, or one on which the pooling of the encoder is not exact.

    Raises:
        ValueError: for other shapes.
    """
    multiple = 2**POOLS
    if len(in_shape) != 3 or in_shape[1] != in_shape[2] or in_shape[1] % multiple:
        raise ValueError(
            f"data.size: got examples of shape {tuple(in_shape)} with the method self_supervised, must be square "
            f"pictures (C, H, W) with sides that are multiples of {multiple}; choose such a size"
        )


def tile_of(in_shape: Sequence[int], pretext: str) -> int:
    """The largest tile of 3 x 3 on which the pooling of the encoder is exact; 1 for a pretext without tiles.

    Raises:
        ValueError: for pictures that are too small.
    """
    multiple = 2**POOLS
    tile = in_shape[1] // 3 // multiple * multiple
    if pretext in ("position", "jigsaw") and not tile:
        raise ValueError(
            f"data.size: got pictures of {in_shape[1]} pixels with the pretext {pretext}, must be at least "
            f"{3 * multiple} for 3 x 3 tiles; choose a larger size"
        )
    return max(1, tile)
