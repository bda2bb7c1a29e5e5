"""Field types: which representations the channels of a feature map are.

Legend of axes: `*B` batch, `n` size of group elements, `c` channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.representations import Irrep, Regular, Representation, Restriction, irreps

Part = tuple[Representation, int]


@dataclass(frozen=True)
class FieldType:
    """The representation of a feature map, `ρ = m_1 ρ_1 ⊕ m_2 ρ_2 ⊕ ...`: a group, representations, multiplicities.

    Channels come part by part, within a part field by field, within a field component by component. A feature map is a
    plain tensor `(B, c, *S)`; `g` moves it by `(g·f)(u) = ρ(g) f(g^-1 u)`, see `FeatureField`.

    Args:
        group: C_N, D_N, SO(2), O(2) on images; SO(3), O(3) on volumes.
        parts: representations of that group with the number of fields of each.

    Raises:
        ValueError: for a representation of another group or a multiplicity below 1.

    Example:
        >>> ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 8)
        C_4: 8 x regular
        >>> ls.equivariant.FieldType.irreps(ls.groups.SO2(), {0: 4, 1: 2}).size
        8
    """

    group: Group
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        for representation, count in self.parts:
            if representation.group != self.group:
                raise ValueError(
                    f"parts: {representation!r} is a representation of {representation.group}, must be one of "
                    f"{self.group}; restrict it with Restriction(representation, group)"
                )
            if count < 1:
                raise ValueError(f"parts: got {count} fields of {representation!r}, must be at least 1")
        if not self.parts:
            raise ValueError("parts: got none, a field type needs at least one field")

    @staticmethod
    def trivial(group: Group, count: int) -> FieldType:
        """Scalar fields, such as the colours of an image."""
        return FieldType(group, ((Irrep(group, 0), count),))

    @staticmethod
    def regular(group: Group, count: int) -> FieldType:
        """Regular fields of a finite group: one channel for each element."""
        return FieldType(group, ((Regular(group), count),))

    @staticmethod
    def irreps(group: Group, counts: dict[int | tuple[int, int], int]) -> FieldType:
        """Irreducible fields, by frequency or by (frequency, parity)."""
        keys = [(key, 0) if isinstance(key, int) else key for key in counts]
        return FieldType(group, tuple((Irrep(group, *key), counts[old]) for key, old in zip(keys, counts, strict=True)))

    @staticmethod
    def all_irreps(group: Group, count: int, band_limit: int | None = None) -> FieldType:
        """`count` fields of each irreducible representation up to a frequency."""
        return FieldType(group, tuple((irrep, count) for irrep in irreps(group, band_limit)))

    @property
    def size(self) -> int:
        """Number of channels `c`."""
        return sum(representation.size * count for representation, count in self.parts)

    @property
    def fields(self) -> int:
        """Number of fields."""
        return sum(count for _, count in self.parts)

    @property
    def is_permutation(self) -> bool:
        """Whether every element permutes channels, so that any pointwise function is equivariant."""
        return all(representation.is_permutation for representation, _ in self.parts)

    @property
    def is_invariant(self) -> bool:
        """Whether no element changes any channel."""
        return all(representation.is_trivial for representation, _ in self.parts)

    def sections(self) -> list[tuple[Representation, int, slice]]:
        """Each representation with its multiplicity and its channels."""
        sections, start = [], 0
        for representation, count in self.parts:
            stop = start + representation.size * count
            sections.append((representation, count, slice(start, stop)))
            start = stop
        return sections

    def restricted(self, subgroup: Group) -> FieldType:
        """The same channels as fields of a subgroup."""
        return FieldType(subgroup, tuple((restricted(part, subgroup), count) for part, count in self.parts))

    def mix(self, g: Float[Tensor, "B n n"], x: Tensor) -> Tensor:
        """`ρ(g) x` on the channels of a batch `(B, c, ...)`, each example with its own element."""
        moved = []
        for representation, count, channels in self.sections():
            matrices = representation(g).to(x)
            fields = x[:, channels].unflatten(1, (count, representation.size))
            moved.append(torch.einsum("bij,bcj...->bci...", matrices, fields).flatten(1, 2))
        return torch.cat(moved, 1)

    def __add__(self, other: FieldType) -> FieldType:
        """Fields of both, those of `self` first."""
        return FieldType(self.group, (*self.parts, *other.parts))

    def __repr__(self) -> str:
        return f"{self.group}: " + " + ".join(f"{count} x {representation!r}" for representation, count in self.parts)


def restricted(representation: Representation, subgroup: Group) -> Representation:
    """A representation for the elements of a subgroup; irreps that stay irreducible keep their name."""
    if isinstance(representation, Restriction):
        return restricted(representation.of, subgroup)
    if representation.is_trivial:
        return Irrep(subgroup, 0)
    return Restriction(representation, subgroup)


def check_channels(in_type: FieldType, x: Tensor) -> None:
    """Raise ValueError when a batch has not the channels of a field type."""
    if x.shape[1] != in_type.size:
        raise ValueError(f"x: got {x.shape[1]} channels, must have the {in_type.size} of {in_type}")
