"""Irreps of e3nn as they are written, such as `16x0e + 8x1o`, to field types of O(3) and back.

Legend of axes: `c` channels.
"""

from __future__ import annotations

import re

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.field_type import FieldType
from learnsym.groups import O3
from learnsym.representations import Irrep

TERM = re.compile(r"(?:(\d+)\s*x\s*)?(\d+)([eoy])")
# e3nn writes coordinates in the order y, z, x of the usual harmonics
CYCLIC = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)


def fields_of_e3nn(irreps: object) -> FieldType:
    """The field type of O(3) with the channels of irreps of e3nn, term by term.

    `l` is the degree; `e` fields stay under the inversion and `o` fields change their sign, so that `1o` are vectors
    and `1e` pseudovectors; `y` is the parity of spherical harmonics, `(-1)^l`. Channels are in the same order; within
    a field their basis is another one, see `e3nn_basis`. For rotations alone take `.restricted(ls.groups.SO3())`.

    Args:
        irreps: a string, or `e3nn.o3.Irreps`; e3nn itself is not needed.

    Raises:
        ValueError: for what is no such string, or has no channels.

    Example:
        >>> ls.equivariant.fields_of_e3nn("16x0e + 8x1o")
        O(3): 16 x irrep 0 + 8 x irrep 1-
    """
    group, parts = O3(), []
    for term in str(irreps).split("+"):
        found = TERM.fullmatch(term.strip())
        if found is None:
            raise ValueError(
                f"irreps: got {str(irreps)!r}, of which {term.strip()!r} is no term; write terms such as 16x0e or 1o, "
                "joined by +"
            )
        degree = int(found[2])
        parity = degree % 2 if found[3] == "y" else int(found[3] == "o")
        if (count := int(found[1] or 1)) > 0:
            parts.append((Irrep(group, degree, parity), count))
    if not parts:
        raise ValueError(f"irreps: got {str(irreps)!r}, which has no channels; give one field at least")
    return FieldType(group, tuple(parts))


def e3nn_of_fields(fields: FieldType) -> str:
    """Irreps of O(3) as e3nn writes them: the reverse of `fields_of_e3nn`.

    Raises:
        ValueError: for fields of another group, whose parity is not known, or that are no irreps.

    Example:
        >>> ls.equivariant.e3nn_of_fields(ls.equivariant.fields_of_e3nn("2x1o+0e"))
        '2x1o+1x0e'
    """
    return "+".join(f"{count}x{irrep.frequency}{'eo'[irrep.parity]}" for irrep, count in _irreps(fields))


def e3nn_basis(fields: FieldType) -> Float[Tensor, "c c"]:
    """The orthogonal matrix `Q` from the basis of these fields to that of e3nn: `ρ_e3nn(g) = Q ρ(g) Qᵀ`.

    Features `x` `(..., c)` of this library are `x @ Q.T` for e3nn, and those of e3nn `x @ Q` here. Vectors are
    `(x, y, z)` there and `(y, z, x)`, the order of harmonics, here.

    Raises:
        ValueError: as `e3nn_of_fields`.

    Example:
        >>> ls.equivariant.e3nn_basis(ls.equivariant.fields_of_e3nn("1o")).round().int()
        tensor([[0, 0, 1],
                [1, 0, 0],
                [0, 1, 0]], dtype=torch.int32)
    """
    blocks = [Irrep(O3(), irrep.frequency)(CYCLIC) for irrep, count in _irreps(fields) for _ in range(count)]
    return torch.block_diag(*blocks)


def _irreps(fields: FieldType) -> list[tuple[Irrep, int]]:
    if fields.group != O3():
        raise ValueError(f"fields: got {fields}, must be of O(3), since e3nn says a parity; name the irreps by O3()")
    found = [(irrep, count) for irrep, count in fields.parts if isinstance(irrep, Irrep)]
    if len(found) < len(fields.parts):
        raise ValueError(f"fields: got {fields}, must be irreps alone; take FieldType.irreps")
    return found
