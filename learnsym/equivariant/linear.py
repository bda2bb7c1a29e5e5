"""Equivariant linear maps of feature vectors.

Legend of axes: `B` batch, `c` channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from learnsym.equivariant.constant import Basis
from learnsym.equivariant.exact_layer import ExactLayer, reset_by_block
from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.steerable.conv import SteerableBias, coordinates, expanded
from learnsym.representations import intertwiners


class EquivariantLinear(ExactLayer):
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
                    self.bases[f"{o}-{i}"] = Basis(basis)
                    self.weights[f"{o}-{i}"] = nn.Parameter(torch.empty(out_count, in_count, len(basis)))
        if not self.weights:
            raise ValueError(f"out_type: no map leads from {in_type} to {out_type}; give them one in common")
        self.bias = SteerableBias(out_type) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights anew, normal with a variance for each block of the matrix."""
        reset_by_block(self.weights)

    @property
    def pixels(self) -> tuple[int, ...]:
        """None: a matrix has no pixel axes."""
        return ()

    def block(self, name: str, weight: Tensor) -> Tensor:
        """`Σ_K weight[o, i, K] T_K` with the intertwiners `T_K`."""
        return expanded(weight, self.bases[name]())

    def coordinates(self, name: str, block: Tensor) -> Tensor:
        """The least-squares fit of the intertwiners."""
        return coordinates(block, self.bases[name]())

    def channel_bias(self) -> Tensor | None:
        """The constant of each channel."""
        return None if self.bias is None else self.bias()

    def set_bias(self, bias: Tensor) -> None:
        """Take the invariant part of given constants."""
        if self.bias is not None:
            self.bias.assign(bias)

    def applied(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The product with a given matrix, and the bias of the layer."""
        return nn.functional.linear(x, kernel, self.channel_bias())

    def plain(self) -> nn.Linear:
        """An ordinary linear map with the same matrix."""
        matrix, bias = self.kernel(), self.channel_bias()
        linear = nn.Linear(matrix.shape[1], matrix.shape[0], bias is not None).to(matrix)
        with torch.no_grad():
            linear.weight.copy_(matrix)
            if bias is not None:
                linear.bias.copy_(bias)
        return linear

    def extra_repr(self) -> str:
        """Types."""
        return f"{self.in_type} -> {self.out_type}"
