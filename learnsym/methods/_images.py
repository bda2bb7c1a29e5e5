"""What methods for images share: the network, and the loss on the targets."""

from __future__ import annotations

import torch
from torch import nn

from learnsym import nets
from learnsym.actions import LabelMap, SphereLabels
from learnsym.distributions import GroupDistribution, LieBox
from learnsym.groups import Translation2
from learnsym.methods._method import Setup, learns
from learnsym.objectives import LossConfig, Objective, Regularised, Segmentation, Supervised
from learnsym.objectives.co_moved import MovedTogether
from learnsym.objectives.terms import Term


def image_net(method: str, setup: Setup) -> nn.Module:
    """The network of a set-up, with fresh weights.

    Raises:
        ValueError: for clouds of points, or a network that does not fit the data.
    """
    refuse_clouds(method, setup)
    return nets.build(setup.net, setup.data.in_shape, setup.data.classes, setup.data.moves)


def refuse_clouds(method: str, setup: Setup) -> None:
    """Raise ValueError for clouds of points."""
    if setup.data.on_input is not None:
        raise ValueError(
            f"method.name: got {method!r} for clouds of points, which it does not move; take remul, fixed_inputs, "
            "absolute_coordinates or fixed_and_absolute"
        )


def regularised(setup: Setup, *terms: Term) -> Objective:
    """The loss on the targets; of the learned twin with terms, under its chooser.

    L = task(f, x, y) + Σ_t term_t(f, x)
    """
    task = on_targets(setup.loss, setup.data.on_sphere)
    return setup.chosen(Regularised(task, terms)) if learns(setup.twin) else task


def shifts(half_width: float = 0.2) -> GroupDistribution:
    """The law of the shifts that are tested: uniform up to a tenth of the image, which 0.2 is as a coordinate."""
    return LieBox(Translation2(), torch.full((2,), half_width))


def on_targets(loss: LossConfig, on_sphere: bool = False) -> Objective:
    """The loss on the targets alone; label maps are moved with their images."""
    if loss.name == "segmentation":
        moves = SphereLabels() if on_sphere else LabelMap(loss.void)
        return MovedTogether(Segmentation(loss.void), moves)
    return Supervised(loss.function())
