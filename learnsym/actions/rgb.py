"""Colours as vectors of red, green and blue."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_finite, check_floating, check_space
from learnsym.actions._linear import apply_linear
from learnsym.groups import Group


@dataclass(frozen=True)
class RGB(Action):
    """The colour of every pixel of `(B, 3, ...)` multiplied by a matrix: `v -> g v` for `v = (red, green, blue)`.

    Channels are on one scale, so that grey has three equal values: standardise them within the model, not before.
    Moved values may leave [0, 1]; they are not cut, since the inverse could then not undo it.

    Example:
        >>> third_of_a_turn = ls.groups.HueSaturation().exp(torch.tensor([[2 * torch.pi / 3, 0.0]]))
        >>> red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
        >>> ls.actions.RGB()(third_of_a_turn, red).flatten().abs().round(decimals=4)
        tensor([0., 1., 0.])
    """

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each example with its own matrix."""
        moved = apply_linear(g, x.movedim(1, -1)).movedim(-1, 1)
        # models that flatten with `view` need channels first in memory too
        return moved.to(x.dtype).contiguous()

    def check(self, group: Group) -> None:
        """The group must act on colours by 3x3 matrices."""
        check_space(self, group, "rgb")
        if group.n != 3:
            raise ValueError(
                f"group: RGB needs 3x3 matrices, got {group.name} with size {group.n}; use HueSaturation()"
            )

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point examples with three channels; reads every value."""
        if x.ndim < 2 or x.shape[1] != 3 or x.numel() == 0:
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, must be (B, 3, ...) with red, green and blue, and hold data; grey "
                "images have no hue, measure Colour() on them"
            )
        check_floating(x)
        check_finite(x)
