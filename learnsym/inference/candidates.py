"""Candidates: the generators and elements that may be symmetries of a kind of data, and those that do not fit it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from learnsym._settings import shown
from learnsym.actions import Image, PointCloud, Set
from learnsym.groups import O2, O3, SO3, AxialSO2, CustomGroup, Generator, Permutation
from learnsym.symmetry import Symmetry, affine2d, colour, hue_saturation

Stage = Literal["law", "space", "closure"]
"""What judges a candidate: the law of poses along a generator, that over all rotations, or a test of one element."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A generator or an element that may be a symmetry of the data.

    Args:
        name: of the generator or element.
        verb: what it does, as in "do not ...".
        stage: what judges it.
        symmetry: how it moves examples; None when it does not fit them.
        element: of a closure test.
        moves: largest move to each side by which poses are read, in its unit; None on closed orbits.
        widths: half-widths of augmentation that labels are asked about; 1 of elements.
        reason: why it does not fit these data; empty when it does.
    """

    name: str
    verb: str
    stage: Stage = "law"
    symmetry: Symmetry | None = None
    element: Tensor | None = None
    moves: float | None = None
    widths: tuple[float, ...] = ()
    reason: str = ""

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ")

    @property
    def fits(self) -> bool:
        """Whether it moves these data."""
        return self.symmetry is not None

    @property
    def unit(self) -> str:
        """Of widths and ranges; `1` for elements, whose number is a share."""
        if self.stage == "closure" or self.symmetry is None:
            return "1"
        return next((g.unit for g in self.symmetry.group.generators if g.name == self.name), "degree")

    @property
    def cap(self) -> float:
        """The largest half-width that makes sense; infinite where there is none."""
        return 180.0 if self.unit == "degree" else 1.0 if self.unit == "1" and self.element is not None else math.inf


TURNS = (15.0, 30.0, 60.0, 90.0, 180.0)
SHIFTS = (0.05, 0.1, 0.2)
LOGARITHMS = (0.1, 0.2, 0.4)
LEFT_RIGHT, UPSIDE_DOWN = ((-1.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, -1.0))
MIRRORS_OF_SPACE = ("mirror_x", "mirror_y", "mirror_z")
QUARTER, HALF = ((0.0, -1.0), (1.0, 0.0)), ((-1.0, 0.0), (0.0, -1.0))


def candidates_of(x: Tensor, points: PointCloud | None = None) -> list[Candidate]:
    """All candidates for a kind of data; those that do not fit it say why.

    Args:
        x: images `(N, C, H, W)`, or clouds of points `(N, points, 3 + more)`.
        points: what the points of a cloud carry; only their positions when None.

    Raises:
        ValueError: for data of another shape.

    Example:
        >>> len([c for c in ls.inference.candidates_of(torch.rand(2, 1, 8, 8)) if c.fits])
        12
    """
    if x.dim() == 4:
        return list(_images(x))
    if x.dim() == 3 and (points is not None or x.shape[2] == 3):
        return list(_clouds(points or PointCloud()))
    raise ValueError(
        f"x: got shape {tuple(x.shape)}, must be images (N, C, H, W) or clouds of points (N, points, 3); "
        "for other data take ls.measure.closure_test or ls.measure.pose_posterior with a symmetry of your own"
    )


def chosen_of(candidates: Sequence[Candidate], only: Sequence[str]) -> list[Candidate]:
    """The candidates of these names; all when no name is given.

    Raises:
        ValueError: for a name that no candidate has.
    """
    known = [candidate.name for candidate in candidates]
    for name in only:
        if name not in known:
            raise ValueError(f"only: got {shown(name)}, must be one of {', '.join(known)}; leave it out for all")
    return [candidate for candidate in candidates if not only or candidate.name in only]


def _images(x: Tensor) -> Iterator[Candidate]:
    plane, colours = affine2d(), colour()
    yield Candidate(name="rotation", verb="turn", symmetry=plane, widths=TURNS)
    for axis, verb in (("x", "shift sideways"), ("y", "shift up and down")):
        yield Candidate(name=f"translation_{axis}", verb=verb, symmetry=plane, moves=0.4, widths=SHIFTS)
    for name, verb in (("scale", "scale"), ("stretch", "stretch"), ("shear", "shear")):
        yield Candidate(name=name, verb=verb, symmetry=plane, moves=0.69, widths=LOGARITHMS)
    yield Candidate(name="brightness", verb="brighten", symmetry=colours, moves=0.6, widths=LOGARITHMS)
    yield Candidate(name="contrast", verb="change the contrast", symmetry=colours, moves=1.2, widths=(0.2, 0.4, 0.8))
    yield _hue(x)
    yield from _elements_of_images(x)


def _hue(x: Tensor) -> Candidate:
    if x.shape[1] != 3:
        return Candidate(name="hue", verb="change the hue", reason=f"needs colour images, these have {_channels(x)}")
    return Candidate(name="hue", verb="change the hue", symmetry=hue_saturation(), widths=(20.0, 60.0, 180.0))


def _elements_of_images(x: Tensor) -> Iterator[Candidate]:
    yield _element("mirror_left_right", "mirror left and right", LEFT_RIGHT)
    yield _element("mirror_upside_down", "mirror upside down", UPSIDE_DOWN)
    yield _element("half_turn", "turn upside down", HALF)
    if x.shape[2] == x.shape[3]:
        yield _element("quarter_turn", "make quarter turns", QUARTER)
    else:
        reason = f"needs square images, these are {x.shape[2]} x {x.shape[3]}"
        yield Candidate(name="quarter_turn", verb="make quarter turns", stage="closure", reason=reason)
    yield from _channel_orders(x)


def _element(name: str, verb: str, matrix: tuple[tuple[float, ...], ...]) -> Candidate:
    symmetry = Symmetry(O2(), Image())
    return Candidate(
        name=name, verb=verb, stage="closure", symmetry=symmetry, element=torch.tensor(matrix), widths=(1.0,)
    )


def _channel_orders(x: Tensor) -> Iterator[Candidate]:
    """An exchange and a cycle: a law that is closed under both is closed under all orders of the channels."""
    count = x.shape[1]
    exchanged, cycled = [1, 0, *range(2, count)], [*range(1, count), 0]
    for name, verb, order, least in (
        ("channels_exchanged", "exchange channels", exchanged, 2),
        ("channels_cycled", "cycle channels", cycled, 3),
    ):
        if count < least:
            reason = f"needs {least} channels or more, these images have {_channels(x)}"
            yield Candidate(name=name, verb=verb, stage="closure", reason=reason)
            continue
        symmetry, element = Symmetry(Permutation(count), Set()), torch.eye(count)[order]
        yield Candidate(name=name, verb=verb, stage="closure", symmetry=symmetry, element=element, widths=(1.0,))


def _clouds(points: PointCloud) -> Iterator[Candidate]:
    if points.dim != 3:
        raise ValueError(f"x: got points of {points.dim} dimensions, must be points of space; give (N, points, 3)")
    for i, axis in enumerate("xyz"):
        symmetry = Symmetry(AxialSO2(i), points)
        name = symmetry.group.generators[0].name
        yield Candidate(name=name, verb=f"turn about {axis}", symmetry=symmetry, widths=TURNS)
    yield Candidate(name="rotation", verb="turn in space", stage="space", symmetry=Symmetry(SO3(), points))
    for i, name in enumerate(MIRRORS_OF_SPACE):
        element = torch.eye(3)
        element[i, i] = -1.0
        mirror = Symmetry(O3(), points)
        yield Candidate(
            name=name, verb=f"mirror along {name[-1]}", stage="closure", symmetry=mirror, element=element,
            widths=(1.0,),
        )  # fmt: skip
    generator = Generator(name="scale", unit="log")
    scale = CustomGroup(torch.eye(3)[None], [generator], name="scalings of space")
    yield Candidate(name="scale", verb="scale", symmetry=Symmetry(scale, points), moves=0.69, widths=LOGARITHMS)


def _channels(x: Tensor) -> str:
    return f"{x.shape[1]} channel{'' if x.shape[1] == 1 else 's'}"
