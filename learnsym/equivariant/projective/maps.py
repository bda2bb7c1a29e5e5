"""The linear maps of multivectors that commute with a group, and multivectors of two parities.

Under E(3) a multivector transforms as `u x u^-1`, where `u` is a product of mirrors, so that points (`p = 1`) stay
points. Blades then have a parity: `1, p` and the axial vectors `e, B` are even, `q, r` and the polar vectors `m, P` are
odd. The join of two multivectors has the other parity: of two points it is a line whose direction `B` is polar. So
channels have a sign: one of sign -1 carries a multivector that takes one more sign under each mirror. Of the 16 maps of
SE(3) the 7 that keep the parity of blades act between channels of equal signs, the other 9 between different signs.

Without channels of sign -1 blades `e`, `B`, `q` and `r` would be 0 everywhere: the geometric product does not make them
from points and velocities.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.groups import E3, SE3, SO3, Group

GROUPS: dict[str, Callable[[], Group]] = {"E(3)": E3, "SE(3)": SE3, "SO(3)": SO3}
SCALARS, VECTORS = "1pqr", "eBmP"
PARITY = dict(zip(SCALARS + VECTORS, (1, 1, -1, -1, 1, 1, -1, -1), strict=True))
# each map: (output, input) blades that share one weight; translations move q by t·e, m by B×t and P by p t
RIGID = (
    *(("11",), ("1p",), ("qr",), ("rr",), ("pp", "PP"), ("qq", "ee"), ("BB", "mm")),
    *(("1r",), ("q1",), ("qp",), ("r1",), ("rp",), ("me",), ("mB",), ("Pe",), ("PB",)),
)
ROTATIONS = tuple((a + b,) for blades in (SCALARS, VECTORS) for a in blades for b in blades)


def check_group(group: str) -> None:
    """ValueError for another group than these three."""
    if group not in GROUPS:
        raise ValueError(f"group: got {group!r}, must be one of {', '.join(GROUPS)}; choose one of them")


def maps_of(group: str) -> tuple[tuple[str, ...], ...]:
    """Independent linear maps between two channels, for E(3) of equal and of different signs together.

    Example:
        >>> [len(maps_of(group)) for group in ("E(3)", "SE(3)", "SO(3)")]
        [16, 16, 32]
    """
    return ROTATIONS if group == "SO(3)" else RIGID


def map_basis(group: str) -> Float[Tensor, "K 2 4 4"]:
    """Matrices of the maps on blades: part (scalars, vectors), output blade, input blade."""
    maps = maps_of(group)
    basis = torch.zeros(len(maps), 2, 4, 4)
    for k, pairs in enumerate(maps):
        for out, in_ in pairs:
            part, blades = (0, SCALARS) if out in SCALARS else (1, VECTORS)
            basis[k, part, blades.index(out), blades.index(in_)] = 1
    return basis


def map_parity(group: str) -> Float[Tensor, "K"]:
    """Of each map +1 when it keeps the parity of blades, -1 when it changes it.

    Example:
        >>> int((map_parity("E(3)") > 0).sum())
        7
    """
    return torch.tensor([float(PARITY[pairs[0][0]] * PARITY[pairs[0][1]]) for pairs in maps_of(group)])


def signs_of(group: str, channels: int) -> Float[Tensor, "C"]:
    """The usual signs of channels: under E(3) +1 in the first half and -1 in the second, else +1."""
    signs = torch.ones(channels)
    if group == "E(3)":
        signs[channels // 2 :] = -1
    return signs


def invariant_blades(group: str, *, outputs: bool) -> str:
    """Blades that may take a number that nothing moves (`outputs`), or that are such numbers.

    `q` is the plane e0, which nothing moves, when its normal `e` is 0: it may take an invariant, but is none.
    """
    return SCALARS if group == "SO(3)" else "1qr" if outputs else "1pr"


def invariant_columns(group: str, signs: Float[Tensor, "C"], blades: str) -> Int[Tensor, "M"]:
    """Positions among the scalars `(4 C)` of the given blades where they are even: no mirror changes them."""
    return _even_columns(group, signs, blades, SCALARS)


def polar_columns(group: str, signs: Float[Tensor, "C"]) -> Int[Tensor, "M"]:
    """Positions among the vectors `(4 C)` of those that a mirror maps as it maps velocities."""
    return _even_columns(group, -signs, VECTORS, VECTORS)


def _even_columns(group: str, signs: Tensor, chosen: str, blades: str) -> Tensor:
    columns = []
    for index, blade in enumerate(blades):
        even = signs * PARITY[blade] > 0 if group == "E(3)" else torch.ones_like(signs, dtype=torch.bool)
        if blade in chosen:
            columns.append(index * len(signs) + even.nonzero()[:, 0])
    return torch.cat(columns)
