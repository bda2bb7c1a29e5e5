"""Invariants of feature vectors: what an orbit looks like, whatever the pose in it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels


class OrbitInvariants(nn.Module):
    """The mean and the norm of each field that is permuted, numbers that the group does not change; scalars stay.

        m = (1/d) Σ_k z_k,    n = sqrt((1/d) Σ_k z_k² + eps)

    Args:
        field_type: trivial, regular or quotient fields, vectors `(B, field_type.size)` without pixels.
        eps: added to squared norms, where their root has no derivative.

    Raises:
        ValueError: for fields whose components the group does not permute.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> ls.equivariant.OrbitInvariants(fields)(torch.tensor([[2.0, 0.0, 0.0, 0.0]]))
        tensor([[0.5000, 1.0000]])
    """

    def __init__(self, field_type: FieldType, eps: float = 1e-12) -> None:
        super().__init__()
        if not field_type.is_permutation:
            raise ValueError(f"field_type: got {field_type}, must be fields that are permuted; take InvariantPool")
        self.in_type, self.eps, self.sections = field_type, eps, field_type.sections()
        count = sum(many if kind.size == 1 else 2 * many for kind, many in field_type.parts)
        self.out_type = FieldType.trivial(field_type.group, count)

    def forward(self, z: Tensor) -> Tensor:
        """The invariants, `(B, out_type.size)` from `(B, in_type.size)`."""
        check_channels(self.in_type, z)
        found = []
        for kind, count, channels in self.sections:
            fields = z[:, channels].unflatten(1, (count, kind.size))
            found.append(fields.mean(2))
            if kind.size > 1:
                found.append((fields.square().mean(2) + self.eps).sqrt())
        return torch.cat(found, 1)

    def plain(self) -> nn.Module:
        """A copy: it has no weights, and computes with nothing but operations of torch."""
        return copy.deepcopy(self)

    def extra_repr(self) -> str:
        """Type."""
        return repr(self.in_type)
