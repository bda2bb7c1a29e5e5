"""Equivariant linear maps of feature vectors.

Legend of axes: `B` batch, `c` channels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.steerable.conv import SteerableBias, expanded
from learnsym.representations import intertwiners


class EquivariantLinear(nn.Module):
    """A linear map of feature vectors that commutes with a group: `W ρ_in(g) = ρ_out(g) W`.

    Each block of the matrix is a learned combination of the intertwiners of two representations: all such maps. Weights
    start with a variance, by block, that keeps the one of the input.

    Args:
        in_type: fields of the input, vectors `(B, in_type.size)` without pixels.
        out_type: fields of the output, of the same group.
        bias: one constant for each invariant direction of the output.

    Raises:
        ValueError: for types of different groups, or no equivariant map at all.

    Reference: Finzi, Welling, Wilson, "A practical method for constructing equivariant multilayer perceptrons" (2021),
    arXiv 2104.09459.

    Example:
        >>> group = ls.groups.SO3()
        >>> vectors = ls.equivariant.FieldType.irreps(group, {0: 2, 1: 3})
        >>> ls.equivariant.EquivariantLinear(vectors, vectors)(torch.rand(4, 11)).shape
        torch.Size([4, 11])
    """

    def __init__(self, in_type: FieldType, out_type: FieldType, *, bias: bool = True) -> None:
        super().__init__()
        if in_type.group != out_type.group:
            raise ValueError(
                f"out_type: got fields of {out_type.group} for an input of {in_type.group}, must be one group; "
                f"use in_type.restricted(subgroup)"
            )
        self.in_type, self.out_type = in_type, out_type
        self.weights, self.bases = nn.ParameterDict(), nn.ModuleDict()
        for o, (target, out_count) in enumerate(out_type.parts):
            for i, (source, in_count) in enumerate(in_type.parts):
                basis = intertwiners(source, target) * target.size**0.5
                if len(basis):
                    self.bases[f"{o}-{i}"] = Constant(basis)
                    self.weights[f"{o}-{i}"] = nn.Parameter(torch.empty(out_count, in_count, len(basis)))
        if not self.weights:
            raise ValueError(f"out_type: no map leads from {in_type} to {out_type}; give them one in common")
        self.bias = SteerableBias(out_type) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights anew, normal with a variance for each block of the matrix."""
        for o in range(len(self.out_type.parts)):
            row = [name for name in self.weights if name.startswith(f"{o}-")]
            for name in row:
                weight = self.weights[name]
                nn.init.normal_(weight, std=(len(row) * weight[0].numel()) ** -0.5)

    def kernel(self) -> Float[Tensor, "c_out c_in"]:
        """The matrix."""
        rows: list[Tensor] = []
        for o, (_, _, channels) in enumerate(self.out_type.sections()):
            height = channels.stop - channels.start
            rows.append(torch.cat([self._block(f"{o}-{i}", height, i) for i in range(len(self.in_type.parts))], 1))
        return torch.cat(rows, 0)

    def _block(self, name: str, height: int, i: int) -> Tensor:
        if name in self.weights:
            return expanded(self.weights[name], self.bases[name]())
        representation, count = self.in_type.parts[i]
        return next(iter(self.weights.values())).new_zeros(height, representation.size * count)

    def forward(self, x: Float[Tensor, "B c_in"]) -> Float[Tensor, "B c_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        return nn.functional.linear(x, self.kernel(), None if self.bias is None else self.bias())

    def plain(self) -> nn.Linear:
        """An ordinary linear map with the same matrix."""
        matrix = self.kernel()
        linear = nn.Linear(
            matrix.shape[1], matrix.shape[0], self.bias is not None, device=matrix.device, dtype=matrix.dtype
        )
        with torch.no_grad():
            linear.weight.copy_(matrix)
            if self.bias is not None:
                linear.bias.copy_(self.bias())
        return linear

    def exact(self) -> EquivariantLinear:
        """The layer itself: it is exact."""
        return self

    def extra_repr(self) -> str:
        """Types."""
        return f"{self.in_type} -> {self.out_type}"
