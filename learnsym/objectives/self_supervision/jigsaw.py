"""The jigsaw: how were the tiles of this picture put in disorder?

Legend of axes: `B` batch, `P` places, `L` labels, `K` elements of the group, `c` channels, `f` fields of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.groups import Group
from learnsym.objectives.self_supervision.label_fields import label_fields
from learnsym.objectives.self_supervision.pretext import Pretext, each_view_moved
from learnsym.objectives.self_supervision.tiles import PLACES, cut, place_moves

Order = tuple[int, ...]
"""Which tile lies at each of the nine places."""
CANDIDATES = 200
"""Orbits among which the next one is chosen."""


class Jigsaw(Pretext):
    """Which of a set of permutations the nine tiles were laid out by: place `s` shows tile `p(s)`, the label is `p`.

    Turned, a puzzle is another one: the tile at `s` goes to `g s` and is tile `g p(s)` of the turned picture, so that
    `g·p = P_g p P_g^-1`. The labels are one field for each orbit of permutations. A set that is no union of orbits
    contradicts the group: the turned puzzle has no label.

    Reference: the task: Noroozi, Favaro, "Unsupervised learning of visual representations by solving jigsaw puzzles"
    (2016), arXiv 1603.09246.

    Args:
        group: C_1, C_2, C_4, D_1, D_2 or D_4.
        tile: pixels of a tile; the side of pictures differs from it by an even number.
        permutations: of the nine tiles, closed under the group, such as `spread_permutations(group, 16)`.

    Raises:
        ValueError: for a group that does not map pixels to pixels, what is no permutation, and a set that is not
            closed; when drawn, for pictures that do not fit.

    Example:
        >>> group = ls.groups.Cyclic(4)
        >>> ls.objectives.Jigsaw(group, 8, ls.objectives.spread_permutations(group, orbits=16)).labels
        C_4: 16 x regular
    """

    name = "jigsaw"
    views = PLACES

    def __init__(self, group: Group, tile: int, permutations: Sequence[Sequence[int]]) -> None:
        self.group, self.tile = group, tile
        given = [_checked(order) for order in permutations]
        number = {order: index for index, order in enumerate(given)}
        if not given or len(number) < len(given):
            raise ValueError(f"permutations: got {len(given)}, {len(number)} of them different; give each once")
        moved = [[_moved(places, order) for order in given] for places in place_moves(group).tolist()]
        _check_closed(group, given, moved, number)
        self.labels, order = label_fields(group, torch.tensor([[number[p] for p in row] for row in moved]))
        self.permutations = torch.tensor([given[label] for label in order])

    def make(self, x: Float[Tensor, "B C H W"], label: Int[Tensor, "B"]) -> Float[Tensor, "B P C t t"]:
        """The tiles of each picture, in the order of the label."""
        order = self.permutations.to(x.device)[label]
        return cut(x, self.tile)[torch.arange(len(x), device=x.device)[:, None], order]

    def moved_views(self, g: Float[Tensor, "2 2"], views: Float[Tensor, "B P C t t"]) -> Float[Tensor, "B P C t t"]:
        """Each tile turned, and laid at its turned place."""
        element = int((self.group.components.to(g) - g).abs().amax((1, 2)).argmin())
        return each_view_moved(g, views)[:, place_moves(self.group)[element].argsort()]

    def joined(self, z: Float[Tensor, "B P c"]) -> Float[Tensor, "B Pc"]:
        """The features as regular fields, one for each place and field: `y[(s, f)]_h = z[h s, f]_h`."""
        fields = z.unflatten(2, (-1, len(self.group.components)))
        moves = place_moves(self.group).to(z.device)
        moved = [fields[:, place, :, h] for h, place in enumerate(moves)]  # each (B, P, f)
        return torch.stack(moved, 3).flatten(1)


def closed_permutations(group: Group, permutations: Sequence[Sequence[int]]) -> list[Order]:
    """The union of the orbits of given permutations, which a jigsaw can take for its labels.

    Example:
        >>> len(ls.objectives.closed_permutations(ls.groups.Cyclic(4), [(1, 0, 2, 3, 4, 5, 6, 7, 8)]))
        4
    """
    places = place_moves(group).tolist()
    found = [_moved(move, _checked(order)) for order in permutations for move in places]
    return list(dict.fromkeys(found))


def spread_permutations(group: Group, orbits: int, seed: int = 0) -> list[Order]:
    """Orbits of permutations far apart: each has the largest Hamming distance to those before, among 200 drawn ones.

    Args:
        group: C_1, C_2, C_4, D_1, D_2 or D_4.
        orbits: number of them, each of as many permutations as the group has elements.
        seed: of the draws.

    Raises:
        ValueError: for fewer than one or more than 1000 orbits.
    """
    if not 1 <= orbits <= 1000:
        raise ValueError(f"orbits: got {orbits}, must be from 1 to 1000; 16 is usual")
    places = place_moves(group)
    random = torch.Generator().manual_seed(seed)
    chosen = torch.empty(0, PLACES, dtype=torch.long)
    while len(chosen) < orbits * len(places):
        drawn = torch.stack([torch.randperm(PLACES, generator=random) for _ in range(CANDIDATES)])
        moved = _moved_all(places, drawn)
        within = _nearest(moved, moved[:, :1], skip=1)
        distance = torch.minimum(within, _nearest(moved, chosen.expand(len(moved), -1, -1)))
        chosen = torch.cat([chosen, moved[int(distance.argmax())]])
    return [tuple(order) for order in chosen.tolist()]


def _moved(places: Sequence[int], order: Order) -> Order:
    """`P_g p P_g^-1`, for where `g` moves each place."""
    moved = dict(zip(places, (places[tile] for tile in order), strict=True))
    return tuple(moved[place] for place in range(PLACES))


def _moved_all(places: Int[Tensor, "K P"], orders: Int[Tensor, "N P"]) -> Int[Tensor, "N K P"]:
    """The orbit of each permutation."""
    back = places.argsort(1)
    return torch.stack([move[orders[:, before]] for move, before in zip(places, back, strict=True)], 1)


def _nearest(moved: Int[Tensor, "N K P"], others: Int[Tensor, "N M P"], skip: int = 0) -> Int[Tensor, "N"]:
    """The smallest Hamming distance of each orbit to others."""
    distance = (moved[:, skip:, None] != others[:, None]).sum(-1).flatten(1)
    return distance.amin(1) if distance.shape[1] else torch.full((len(moved),), PLACES)


def _checked(order: Sequence[int]) -> Order:
    if sorted(order) != list(range(PLACES)):
        raise ValueError(f"permutations: got {tuple(order)}, must hold each of the numbers 0 to {PLACES - 1} once")
    return tuple(order)


def _check_closed(group: Group, given: list[Order], moved: list[list[Order]], number: dict[Order, int]) -> None:
    for order, image in zip(itertools.cycle(given), itertools.chain(*moved)):
        if image not in number:
            raise ValueError(
                f"permutations: the set contradicts {group}, which moves {order} to {image}, and that is not in it; "
                "take closed_permutations(group, permutations), the union of their orbits"
            )
