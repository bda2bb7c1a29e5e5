"""Fewer symmetries from here on."""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.groups import Group


class Restrict(nn.Module):
    """The same feature maps, as fields of a subgroup: what follows is equivariant under the subgroup only.

    Args:
        in_type: fields of the input.
        subgroup: a subgroup of their group.

    Raises:
        ValueError: when it is none.

    Reference: Weiler, Cesa (2019), arXiv 1911.08251, section 2.7.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Dihedral(4), 2)
        >>> ls.equivariant.Restrict(fields, ls.groups.Dihedral(1)).out_type.size
        16
    """

    def __init__(self, in_type: FieldType, subgroup: Group) -> None:
        super().__init__()
        self.in_type, self.out_type = in_type, in_type.restricted(subgroup)

    def forward(self, x: Tensor) -> Tensor:
        """`x`, `(B, c, *S)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        return x

    def plain(self) -> nn.Module:
        """`nn.Identity`."""
        return nn.Identity()

    def extra_repr(self) -> str:
        """Type."""
        return f"{self.in_type} -> {self.out_type}"
