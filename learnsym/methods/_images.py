"""What methods for images share: the network, and the loss on the targets."""

from __future__ import annotations

from torch import nn

from learnsym import nets
from learnsym.actions import LabelMap
from learnsym.methods._method import Setup
from learnsym.objectives import LossConfig, Objective, Segmentation, Supervised
from learnsym.objectives.co_moved import MovedTogether


def image_net(method: str, setup: Setup) -> nn.Module:
    """The network of a set-up, with fresh weights.

    Raises:
        ValueError: for clouds of points, or a network that does not fit the data.
    """
    refuse_clouds(method, setup)
    return nets.build(setup.net, setup.data.in_shape, setup.data.classes)


def refuse_clouds(method: str, setup: Setup) -> None:
    """Raise ValueError for clouds of points."""
    if setup.data.on_input is not None:
        raise ValueError(
            f"method.name: got {method!r} for clouds of points, which it does not move; take remul, fixed_inputs, "
            "absolute_coordinates or fixed_and_absolute"
        )


def on_targets(loss: LossConfig) -> Objective:
    """The loss on the targets alone; label maps are moved with their images."""
    if loss.name == "segmentation":
        return MovedTogether(Segmentation(loss.void), LabelMap(loss.void))
    return Supervised(loss.function())
