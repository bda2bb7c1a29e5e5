"""The action on feature maps: pixels or voxels move and channels mix."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions import Action, check_finite, warp
from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.groups import Group


@dataclass(frozen=True)
class FeatureField(Action):
    """Feature maps `(B, c, *S)` of a field type: `(g·f)(u) = ρ(g) f(g^-1 u)`; vectors `(B, c)` have no pixels to move.

    With it as the action on inputs and outputs, every measure of `learnsym.measure` applies to single layers.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
        >>> ls.equivariant.FeatureField(fields)(turn, torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
        tensor([[4., 1., 2., 3.]])
    """

    field_type: FieldType
    mode: str = "bilinear"
    padding: str = "zeros"

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each feature map moved by its own element."""
        return self.field_type.mix(g, x if x.ndim == 2 else warp(x, g, self.mode, self.padding))

    def check(self, group: Group) -> None:
        """The group must be that of the field type."""
        if group != self.field_type.group:
            raise ValueError(f"group: got {group}, must be {self.field_type.group}, the group of the field type")

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must have the channels of the type."""
        check_channels(self.field_type, x)
        check_finite(x)
