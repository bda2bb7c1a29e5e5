"""The learned law of the input as a random transform of data, in the form of `torchvision.transforms.v2`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import (
    RGB,
    Action,
    Channels,
    Image,
    LabelMap,
    PointCloud,
    PointVectors,
    Product,
    Set,
    Sphere,
    VectorField,
    Volume,
)
from learnsym.distributions import Fixed, GroupDistribution, full_precision
from learnsym.symmetry import Symmetry

AXES: tuple[tuple[tuple[type[Action], ...], int], ...] = (
    ((Volume,), 4),
    ((Image, RGB, Channels, Sphere), 3),
    ((PointCloud, PointVectors, Set), 2),
)
"""Axes of one example, by what moves it."""


class LawTransform(nn.Module):
    """Moves each image by an element `g` of its own, drawn from a law: `x -> g·x`.

    It is called as transforms of torchvision are, with one input or several, and stands in `v2.Compose` and in data
    sets. What it moves is the first tensor or picture of PIL; a `tv_tensors.Mask` moves with it, to the nearest pixel,
    and all else, such as a label, passes through. Batches `(B, C, H, W)` and single images `(C, H, W)` are told apart
    by their axes; integer images are rounded. Draws are from torch's own generator, which loaders seed by worker.

    Args:
        symmetry: how elements move inputs.
        law: of the elements.

    Raises:
        ValueError: for a law of one entry per example or over another group, or an action without a known shape.

    Example:
        >>> law = ls.distributions.LieBox(ls.groups.SO2(), torch.tensor([0.5]))
        >>> transform = ls.augment.LawTransform(ls.symmetry_by_name("rotation2d"), law)
        >>> image, label = transform(torch.rand(3, 8, 8), 7)
        >>> image.shape, label
        (torch.Size([3, 8, 8]), 7)
    """

    def __init__(self, symmetry: Symmetry, law: GroupDistribution) -> None:
        super().__init__()
        if law.batch_shape:
            raise ValueError(
                f"law: got one of batch shape {tuple(law.batch_shape)}, must be the same for all inputs; a law that "
                "depends on the input has no transform of its own"
            )
        if law.group != symmetry.group:
            raise ValueError(f"law: is over {law.group.name}, must be over {symmetry.group.name}, the symmetry's group")
        self.symmetry = symmetry.of_tensors
        self.axes = _axes(self.symmetry.on_input)
        self.law = Fixed(law)

    def elements(self, count: int) -> Float[Tensor, "B n n"]:
        """Independent draws."""
        law = self.law()
        reference = law.reference
        with full_precision(reference.device):
            uniform = torch.rand(count, law.uniforms, dtype=reference.dtype, device=reference.device)
            return law.from_uniform(uniform)

    def forward(self, *inputs: Any) -> Any:  # noqa: ANN401  as torchvision has it
        """The inputs, of which the first image and its masks have moved by the same elements."""
        index = next((i for i, each in enumerate(inputs) if _is_image(each)), None)
        if index is None:
            kinds = ", ".join(type(each).__name__ for each in inputs)
            raise ValueError(f"inputs: got {kinds}, of which none is an image; give a tensor or a picture of PIL")
        x = _tensor(inputs[index])
        if x.ndim not in (self.axes, self.axes + 1):
            raise ValueError(f"x: got shape {tuple(x.shape)}, must have {self.axes} axes, or one more for a batch")
        batched = x.ndim > self.axes
        g = self.elements(len(x) if batched else 1).to(x.device)
        moved = [
            self._image(x, g, batched, each) if i == index else self._other(each, g) for i, each in enumerate(inputs)
        ]
        return moved[0] if len(moved) == 1 else tuple(moved)

    def _image(self, x: Tensor, g: Tensor, batched: bool, given: Any) -> Any:  # noqa: ANN401
        batch = x if batched else x[None]
        with full_precision(x.device):
            y = self.symmetry.on_input(g, batch if x.is_floating_point() else batch.float())
        return _like(y if batched else y[0], given)

    def _other(self, given: Any, g: Tensor) -> Any:  # noqa: ANN401
        """A mask, which moves with its image, or what stays."""
        kind = _special(given)
        if kind == "Mask" and isinstance(self.symmetry.on_input, Image):
            labels = given.as_subclass(Tensor)
            maps = labels.reshape(-1, *labels.shape[-2:])
            with full_precision(labels.device):
                y = LabelMap(fill=0)(g.repeat_interleave(len(maps) // len(g), 0), maps)
            return y.reshape(labels.shape).as_subclass(type(given))
        if kind:
            raise ValueError(f"inputs: got {kind} of torchvision, which this law does not move; give images alone")
        return given


def _axes(action: Action) -> int:
    while isinstance(action, Product):
        action = action.actions[0]
    found = next((axes for kinds, axes in AXES if isinstance(action, kinds)), None)
    if found is None and isinstance(action, VectorField):
        found = 1 + action.dim
    if found is None:
        raise ValueError(
            f"symmetry: moves inputs by {type(action).__name__}, of which the axes of one example are not known; "
            "give one that moves images, volumes or points"
        )
    return found


def _is_image(given: object) -> bool:
    import PIL.Image

    return (isinstance(given, Tensor) and not _special(given)) or isinstance(given, PIL.Image.Image)


def _special(given: object) -> str:
    """The name of a class of `torchvision.tv_tensors` that is no image; torchvision itself is not needed."""
    kind = type(given)
    return kind.__name__ if "tv_tensors" in kind.__module__ and kind.__name__ not in ("Image", "Video") else ""


def _tensor(given: Any) -> Tensor:  # noqa: ANN401
    if isinstance(given, Tensor):
        return given.as_subclass(Tensor)
    pixels = torch.from_numpy(np.array(given))
    return pixels[None] if pixels.ndim == 2 else pixels.movedim(-1, 0)


def _like(y: Tensor, given: Any) -> Any:  # noqa: ANN401
    """In the form that was given: the class and the dtype of a tensor, or a picture of PIL."""
    import PIL.Image

    if isinstance(given, Tensor):
        return _rounded(y, given.dtype).as_subclass(type(given))
    pixels = _rounded(y, torch.uint8).movedim(0, -1).numpy()
    return PIL.Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _rounded(y: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype.is_floating_point or not y.is_floating_point():
        return y.to(dtype)
    limits = torch.iinfo(dtype)
    return y.round().clamp(limits.min, limits.max).to(dtype)
