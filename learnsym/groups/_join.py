"""The join of groups of the plane: the smallest group that holds them all, such as O(2) of rotations and flips."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym._constant import constant
from learnsym.groups._finite import Cyclic, Dihedral
from learnsym.groups._matrix_group import Formulas, MatrixGroup
from learnsym.groups._planar import (
    AFFINE_ALGEBRA,
    AFFINE_GENERATORS,
    O2,
    SE2,
    SO2,
    Affine2,
    AffineSubgroup,
    Scale2,
    Similarity2,
    Translation2,
    det2,
)
from learnsym.groups._spatial import E3, O3, SE3, SO3

ROTATION_SLOT = 2


def Join(*groups: MatrixGroup) -> MatrixGroup:
    """The group that some groups of the plane generate: all products of their elements, one matrix for each.

    Rotations and flips do not commute, so that their direct product does not act on images; their join, O(2), does. It
    is the semidirect product `K ⋉ exp(a)` of the span `a` of all generators with the finite part `K`, which maps `a` to
    itself: `C_N` or `D_N`, and with rotations no more than one reflection.

    Args:
        groups: rotations, translations, scalings, affine maps, and the finite groups C_N and D_N, in any order.

    Raises:
        ValueError: without a group, or for one that is none of these.

    Example:
        >>> ls.groups.Join(ls.groups.SO2(), ls.groups.Dihedral(1))
        O(2)
        >>> group = ls.groups.Join(ls.groups.SO2(), ls.groups.Dihedral(1), ls.groups.Scale2())
        >>> [generator.name for generator in group.generators], len(group.components)
        (['rotation', 'scale'], 2)
    """
    if not groups:
        raise ValueError("groups: got none; name at least one group of the plane")
    slots = tuple(sorted({slot for group in groups for slot in _slots(group)}))
    finite = _finite_part(groups, ROTATION_SLOT in slots)
    if slots == (ROTATION_SLOT,):
        return O2() if len(finite.components) > 1 else SO2()
    if not slots:
        return finite
    return _several_components(slots, finite) if len(finite.components) > 1 else _connected(slots)


def compact_part(group: MatrixGroup) -> MatrixGroup | None:
    """The largest compact group in a group of the plane or of space about its origin; None where that is trivial.

    Over it an average is exact and has an end, as for the exact twin of a learned symmetry.

    Example:
        >>> ls.groups.compact_part(ls.groups.Similarity2()), ls.groups.compact_part(ls.groups.E3())
        (SO(2), O(3))
        >>> ls.groups.compact_part(ls.groups.Translation2()) is None
        True
    """
    if group.is_compact:
        return group
    several = len(group.components) > 1
    if group in (SE3(), E3()):
        return O3() if several else SO3()
    if group.space != "plane":
        return None
    if ROTATION_SLOT in _slots(group):
        return O2() if several else SO2()
    return _finite_part((group,), rotations=False) if several else None


@dataclass(frozen=True, eq=False)
class AffineComponents(Formulas):
    """A subgroup of the affine group with several components: a finite part times its identity component."""

    identity: AffineSubgroup
    components: Tensor

    def inverse(self, g: Tensor) -> Tensor:
        """`(L, t) -> (L⁻¹, -L⁻¹ t)`, for any sign of the determinant."""
        return self.identity.inverse(g)

    def exp(self, a: Tensor) -> Tensor:
        """That of the identity component."""
        return self.identity.exp(a)

    def log(self, g: Tensor) -> Tensor:
        """That of the identity component."""
        return self.identity.log(g)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """Those of the identity component."""
        return self.identity.windings(a, turns)

    def component(self, g: Tensor) -> Tensor:
        """By the sign of the determinant where there are rotations, else the nearest to the linear part of size 1."""
        if ROTATION_SLOT in self.identity.slots:
            return (det2(g) < 0).long()
        linear = g[..., :2, :2] / det2(g).abs().sqrt()[..., None, None]
        finite = constant(self.components, g)[:, :2, :2]
        return (linear.unsqueeze(-3) - finite).abs().amax((-2, -1)).argmin(-1)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Whether the component that is nearest holds it."""
        inverses = constant(self.components.mT, g)  # of orthogonal matrices
        nearest = (F.one_hot(self.component(g), len(inverses)).to(g) @ inverses.flatten(1)).unflatten(-1, (3, 3))
        return self.identity.contains(nearest @ g, atol)


def _slots(group: MatrixGroup) -> list[int]:
    known = group.space == "plane" and all(generator in AFFINE_GENERATORS for generator in group.generators)
    if not known or group.n not in (2, 3):
        raise ValueError(
            f"groups: got {group}, must be made of rotations, translations, scalings, affine maps of the plane, C_N or "
            "D_N; join the others as a Product where they commute"
        )
    return [AFFINE_GENERATORS.index(generator) for generator in group.generators]


def _finite_part(groups: tuple[MatrixGroup, ...], rotations: bool) -> MatrixGroup:
    """`C_N` or `D_N`: reflections of all groups are turns of the same one, so that orders have a common multiple."""
    turns = [sum(det2(group.components) > 0) for group in groups]
    flips = any(bool((det2(group.components) < 0).any()) for group in groups)
    order = 1 if rotations else math.lcm(*map(int, turns))
    return (Dihedral if flips else Cyclic)(order)


def _connected(slots: tuple[int, ...]) -> MatrixGroup:
    known = {(0, 1): Translation2, (3,): Scale2, (0, 1, 2): SE2, (0, 1, 2, 3): Similarity2, (0, 1, 2, 3, 4, 5): Affine2}
    if slots in known:
        return known[slots]()
    identity = torch.eye(3, dtype=torch.float64)[None]
    return _matrix_group(_name(slots), slots, identity, AffineSubgroup(slots))


def _several_components(slots: tuple[int, ...], finite: MatrixGroup) -> MatrixGroup:
    components = torch.eye(3, dtype=torch.float64).repeat(len(finite.components), 1, 1)
    components[:, :2, :2] = finite.components
    formulas = AffineComponents(AffineSubgroup(slots), components)
    return _matrix_group(f"{_name(slots)}+{finite.name}", slots, components, formulas)


def _matrix_group(name: str, slots: tuple[int, ...], components: Tensor, formulas: Formulas) -> MatrixGroup:
    return MatrixGroup(
        name=name,
        space="plane",
        generators=tuple(AFFINE_GENERATORS[slot] for slot in slots),
        algebra=AFFINE_ALGEBRA[list(slots)],
        components=components,
        is_compact=False,
        formulas=formulas,
    )


def _name(slots: tuple[int, ...]) -> str:
    known = {(0, 1, 2, 3, 4, 5): "affine2d", (0, 1, 2, 3): "similarity2d", (0, 1, 2): "SE(2)"}
    parts = {(0, 1): "translation2d", (2,): "SO(2)", (3,): "scale2d"}
    return known.get(slots) or "+".join(name for part, name in parts.items() if set(part) <= set(slots))
