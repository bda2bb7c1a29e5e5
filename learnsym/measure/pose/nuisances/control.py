"""Control: an operation on examples that takes away a cue of the camera and leaves a law of the objects alone.

Up to chance each of them commutes with rotations, so that it turns nothing that looks alike at all angles into
something that does not. What carries the pose is removed where it can be estimated; what is left of it is drowned in
the same of random size and direction. Legend of axes: `B` examples, `C` channels, `*S` size of the image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.actions import Action, Image, PointCloud, Volume
from learnsym.measure.pose.nuisances import clouds, frame, lattice, light, place, readout

Change = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Control:
    """One cue: how it is taken away, and a sentence that names it in the examples that have it.

    Args:
        change: from examples and a generator of random numbers to examples without the cue.
        named: from examples to the cue in words.
        is_centre: whether the cue is an offset of all objects.
    """

    change: Change
    named: Callable[[Tensor], str]
    is_centre: bool = False

    def __call__(self, x: Tensor, seed: int = 0) -> Tensor:
        """The examples without the cue."""
        return self.change(x, torch.Generator().manual_seed(seed))


def controls_of(action: Action, closed: bool) -> list[Control]:
    """The controls of a kind of data, in the order in which they are applied; none where no camera is known.

    Args:
        action: what moves the examples.
        closed: whether they are turned; else sizes and lengths are the question, and only the centre is controlled.
    """
    if isinstance(action, PointCloud):
        return _of_clouds(action.dim)[: 2 if closed else 1]
    if not isinstance(action, Image | Volume):
        return []
    centre = Control(
        lambda x, random: place.straightened(action, x, random, sides=False), place.named_centre, is_centre=True
    )
    sides = Control(lambda x, random: place.straightened(action, x, random, centre=False), place.named_sides)
    if not closed:
        return [centre]
    return [
        Control(frame.unframed, frame.named),
        Control(lambda x, random: readout.levelled(action, x, random), readout.named),
        centre,
        sides,
        Control(light.relit, light.named),
        Control(lambda x, random: lattice.softened(action, x, random), lattice.named),
    ]


def controlled(x: Tensor, controls: list[Control], seed: int) -> Tensor:
    """The examples without any of the cues.

    Example:
        >>> from learnsym.actions import Image
        >>> x = torch.rand(20, 1, 16, 16)
        >>> controlled(x, controls_of(Image(), closed=True), seed=0).shape
        torch.Size([20, 1, 16, 16])
    """
    for number, control in enumerate(controls):
        x = control(x, seed + number)
    return x


def _of_clouds(dim: int) -> list[Control]:
    return [
        Control(lambda x, _: clouds.centred(x, dim), lambda x: clouds.named_centre(x, dim), is_centre=True),
        Control(
            lambda x, random: clouds.centred(clouds.resampled(x, dim, random), dim), lambda x: clouds.named_sampling()
        ),
    ]
