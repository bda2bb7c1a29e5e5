"""Contrast and brightness."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_finite, check_floating, check_space
from learnsym.groups import Group

MID_GREY = 0.5


@dataclass(frozen=True)
class Channels(Action):
    """Pixel values changed by `g = [[contrast, brightness], [0, 1]]` about mid-grey: `x -> c (x - 1/2) + 1/2 + b`.

    The same for every channel and pixel of `(B, C, ...)`, values in [0, 1] with mid-grey at 1/2.

    Args:
        clamp: cut the result to [0, 1], as a camera does; the inverse then no longer undoes what was cut.

    Example:
        >>> stretch_contrast = torch.tensor([[[2.0, 0.0], [0.0, 1.0]]])
        >>> ls.actions.Channels()(stretch_contrast, torch.tensor([[0.5, 0.75]]))
        tensor([[0.5000, 1.0000]])
    """

    clamp: bool = False

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each example with its own contrast and brightness."""
        shape = (-1, *[1] * (x.ndim - 1))
        contrast, brightness = g[..., 0, 0].reshape(shape), g[..., 0, 1].reshape(shape)
        # b + (1 - c) / 2 first: an identity then multiplies by 1 and adds 0, exactly
        moved = (contrast * x + (brightness + (1 - contrast) * MID_GREY)).to(x.dtype)
        return moved.clamp(0, 1) if self.clamp else moved

    def check(self, group: Group) -> None:
        """The group must act on channels by 2x2 matrices."""
        check_space(self, group, "channels")
        if group.n != 2:
            raise ValueError(f"group: Channels needs 2x2 matrices, got {group.name} with size {group.n}; use Colour()")

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point examples; reads every value."""
        if x.ndim < 2 or x.numel() == 0:
            raise ValueError(f"x: got shape {tuple(x.shape)}, must be (B, C, ...) and hold data; put the batch first")
        check_floating(x)
        check_finite(x)
