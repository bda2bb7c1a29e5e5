"""Norm nonlinearity: fields keep their direction."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels


class NormNonlinearity(nn.Module):
    """Scalars through a pointwise function, each other field through a function of its norm.

        s -> a(s),    v_i -> v_i a(|v_i| + b_i) / |v_i|

    Args:
        field_type: fields of input and output.
        activation: `a`, not negative for positive numbers.
        eps: added to the squared norms, where their root has no derivative.

    Reference: Worrall, Garbin, Turmukhambetov, Brostow, "Harmonic networks" (2017), arXiv 1612.04642.

    Example:
        >>> fields = ls.equivariant.FieldType.irreps(ls.groups.SO2(), {0: 1, 1: 1})
        >>> ls.equivariant.NormNonlinearity(fields)(torch.tensor([[-1.0, 3.0, 4.0]]))
        tensor([[0.0000, 3.3000, 4.4000]], grad_fn=<CatBackward0>)
    """

    def __init__(self, field_type: FieldType, activation: nn.Module | None = None, eps: float = 1e-12) -> None:
        super().__init__()
        self.in_type = self.out_type = field_type
        self.sections = field_type.sections()
        self.activation, self.eps = nn.ReLU() if activation is None else activation, eps
        vectors = sum(count for representation, count in field_type.parts if not representation.is_trivial)
        self.bias = nn.Parameter(torch.full((vectors,), 0.5)) if vectors else None

    def forward(self, x: Tensor) -> Tensor:
        """The fields with new norms, `(B, c, *S)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        done, used = [], 0
        for representation, count, channels in self.sections:
            if representation.is_trivial:
                done.append(self.activation(x[:, channels]))
            else:
                done.append(self._scaled(x[:, channels].unflatten(1, (count, representation.size)), used))
                used += count
        return torch.cat(done, 1)

    def _scaled(self, fields: Tensor, start: int) -> Tensor:
        assert self.bias is not None
        norm = (fields.square().sum(2, keepdim=True) + self.eps).sqrt()
        bias = self.bias[start : start + fields.shape[1]].view(-1, 1, *[1] * (fields.ndim - 3))
        return (fields * (self.activation(norm + bias) / norm)).flatten(1, 2)

    def plain(self) -> nn.Module:
        """A copy: it computes with nothing but operations of torch."""
        return copy.deepcopy(self)

    def extra_repr(self) -> str:
        """Type."""
        return repr(self.in_type)
