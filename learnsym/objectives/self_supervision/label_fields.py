"""Labels that a group permutes, as fields: one quotient field for each orbit.

Legend of axes: `K` elements of the group, `L` labels.
"""

from __future__ import annotations

from jaxtyping import Int
from torch import Tensor

from learnsym.equivariant import FieldType
from learnsym.groups import Group, Subgroup
from learnsym.representations import Quotient, Regular, Representation


def label_fields(group: Group, moves: Int[Tensor, "K L"]) -> tuple[FieldType, list[int]]:
    """The representation of a set of labels, and the label of each of its channels.

    A set that a group permutes falls into orbits. An orbit is the cosets of what fixes its first label `l`, `g Stab(l)`
    standing for `g·l`: a regular field where nothing but the identity does.

    Args:
        group: finite.
        moves: `moves[g, l]` is the label to which the element number `g` moves the label `l`.

    Example:
        >>> fields, order = label_fields(ls.groups.Cyclic(2), torch.tensor([[0, 1, 2], [0, 2, 1]]))
        >>> fields, order
        (C_2: 1 x quotient by C_2[0, 1] + 1 x regular, [0, 1, 2])
    """
    left, found = set(range(moves.shape[1])), {}
    while left:
        first = min(left)
        kind, labels = _orbit(group, moves[:, first], first)
        found.setdefault(kind, []).append(labels)
        left -= set(labels)
    parts = tuple((kind, len(orbits)) for kind, orbits in found.items())
    return FieldType(group, parts), [label for orbits in found.values() for labels in orbits for label in labels]


def _orbit(group: Group, images: Int[Tensor, "K"], first: int) -> tuple[Representation, list[int]]:
    """The cosets of what fixes a label, and the label of each, from where each element moves it."""
    fixing = (images == first).nonzero().flatten().tolist()
    kind = Regular(group) if len(fixing) == 1 else Quotient(group, Subgroup(group, fixing))
    cosets = kind.cosets()
    return kind, [int(images[cosets == coset][0]) for coset in range(kind.size)]
