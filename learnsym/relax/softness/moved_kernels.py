"""How a group moves kernels between fields that it moves, too, and linear maps that read a flattened image.

Legend of axes: `R` generators, `d` entries that are moved together, `*N` independent copies, `a`, `b` components of
fields out and in, `k` pixels along an axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.relax.softness.moved_entries import MovedEntries, lattice_differences
from learnsym.relax.softness.speeds import generating_elements
from learnsym.representations import Representation, tensor_product


@dataclass(frozen=True)
class FieldKernel(MovedEntries):
    """The kernel `(o a, i b, k, k)` of a convolution between copies of two representations.

        T(g) k(u) = ρ_out(g) k(g^-1 u) ρ_in(g)ᵀ

    Two trivial representations give `KernelPixels`. A bias is `MapEntries(trivial, target)`.

    Args:
        source, target: `ρ_in` and `ρ_out`, of one finite group that permutes pixels; channels are in the order
            (copy, component).
        size: `k`.
    """

    source: Representation
    target: Representation
    size: int

    @property
    def together(self) -> int:
        """`a b k k`."""
        return self.target.size * self.source.size * self.size**2

    def differences(self, group: Group) -> Float[Tensor, "R d d"]:
        """Channels by their matrices, pixels by a permutation."""
        wrong = [str(rep.group) for rep in (self.source, self.target) if rep.group != group]
        if wrong:
            raise ValueError(
                f"parameters: got a kernel of representations of {wrong[0]}, must be of {group}; make them so"
            )
        pixels = lattice_differences(group, self.size) + torch.eye(self.size**2, dtype=torch.float64)
        elements = group.components[list(generating_elements(group))]
        channels = tensor_product(self.target(elements), self.source(elements))
        return tensor_product(channels, pixels) - torch.eye(self.together, dtype=torch.float64)

    def entries(self, parameter: Tensor) -> Float[Tensor, "*N d"]:
        """One kernel of fields for each pair of copies."""
        fields = parameter.unflatten(1, (-1, self.source.size)).unflatten(0, (-1, self.target.size))
        return fields.transpose(1, 2).flatten(2)

    def put(self, parameter: Tensor, entries: Float[Tensor, "*N d"]) -> Tensor:
        """Channels back in the order (copy, component)."""
        fields = entries.unflatten(2, (self.target.size, self.source.size, self.size, self.size))
        return fields.transpose(1, 2).reshape(parameter.shape)


@dataclass(frozen=True)
class FlatPixels(MovedEntries):
    """The columns of a matrix `(c_out, c k k)` that reads flattened channels of a square image, to invariant outputs.

    Args:
        size: `k`.
    """

    size: int

    @property
    def together(self) -> int:
        """`k k`."""
        return self.size**2

    def differences(self, group: Group) -> Float[Tensor, "R d d"]:
        """Quarter turns and flips permute pixels."""
        return lattice_differences(group, self.size)

    def entries(self, parameter: Tensor) -> Float[Tensor, "*N d"]:
        """One image for each output and channel."""
        return parameter.unflatten(-1, (-1, self.together))

    def put(self, parameter: Tensor, entries: Float[Tensor, "*N d"]) -> Tensor:
        """Channels side by side."""
        return entries.reshape(parameter.shape)
