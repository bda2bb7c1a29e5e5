"""A function of each channel alone."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels


class Pointwise(nn.Module):
    """Any pointwise function, on fields whose channels the group permutes.

    Raises:
        ValueError: for other fields, on which it would not be equivariant.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Dihedral(4), 1)
        >>> ls.equivariant.Pointwise(fields, nn.ELU())(torch.zeros(1, 8, 3, 3)).shape
        torch.Size([1, 8, 3, 3])
    """

    def __init__(self, field_type: FieldType, activation: nn.Module) -> None:
        super().__init__()
        if not field_type.is_permutation:
            raise ValueError(
                f"field_type: got {field_type}, whose channels the group does not permute; "
                "use Gated, NormNonlinearity or FourierNonlinearity"
            )
        self.in_type = self.out_type = field_type
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """The function of each entry, `(B, c, *S)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        return self.activation(x)

    def plain(self) -> nn.Module:
        """The function itself."""
        return copy.deepcopy(self.activation)

    def extra_repr(self) -> str:
        """Type."""
        return repr(self.in_type)
