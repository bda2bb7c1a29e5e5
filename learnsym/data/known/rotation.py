"""Rotation ranges: boxes from 0 to 180°, off-centre, normal laws, several modes, and turns with jitter."""

from __future__ import annotations

from learnsym.data.known.bases import DOMAINS, FOUND, base
from learnsym.data.known.laws import Along, Law
from learnsym.data.known.task import Task, Twins
from learnsym.data.known.truth import SAME_SPREAD, Range, Shape

BOXES = {
    "digits": (10.0, 25.0, 45.0, 90.0, 135.0, 170.0, 180.0),
    "mnist": (30.0, 60.0, 120.0, 165.0),
    "fashion-mnist": (20.0, 75.0, 150.0),
    "cifar10-jpeg": (45.0, 180.0),
    "drawings": (30.0, 100.0),
}
NORMAL = (("digits", 30.0), ("mnist", 20.0))
CENTRE = (0.12, -0.08)
TWO_MODES = (("digits", (0.0, 120.0), 20.0), ("mnist", (0.0, 180.0), 30.0), ("drawings", (0.0, 110.0), 15.0))
CYCLIC = (("digits", 4, 10.0), ("mnist", 3, 8.0), ("drawings", 4, 12.0), ("drawings", 5, 6.0))


def rotation_tasks() -> list[Task]:
    """All tasks of this file."""
    boxes = [_box(name, width) for name, widths in BOXES.items() for width in widths]
    normal = [_normal(name, width) for name, width in NORMAL]
    off = [_box(name, 60.0, CENTRE) for name in ("digits", "drawings")]
    modes = [_modes(name, "two modes", modes, width) for name, modes, width in TWO_MODES]
    turns = [_modes(name, "cyclic with jitter", _turns(n), width) for name, n, width in CYCLIC]
    return [*boxes, *normal, *off, *modes, *turns]


def rotation_range(half_width: float, shape: Shape = "box", modes: tuple[float, ...] = (0.0,)) -> Range:
    """The range of rotations of images over which a law is spread."""
    return Range(
        symmetry="rotation2d", generator="rotation", half_width=half_width, cap=180.0, shape=shape, modes=modes
    )


def turned(name: str, family: str, title: str, change: Along, truth: Range, oracle: float) -> Task:
    """A base whose examples are turned, with labels that say what was turned."""
    twins = Twins(symmetry="rotation2d", oracle={"rotation": oracle}, exact="rotation2d")
    return Task(
        name=f"{name} {title}",
        family=family,
        domain=DOMAINS[name],
        make=base(name),
        change=change,
        truth=truth,
        twins=twins,
        needs="" if name in FOUND else name,
    )


def _box(name: str, width: float, centre: tuple[float, float] = (0.0, 0.0)) -> Task:
    is_off = centre != (0.0, 0.0)
    # to turn about another point than the middle also shifts
    change = Along("affine2d" if is_off else "rotation2d", "rotation", Law(width=width), centre)
    family, title = ("rotation off centre", "rotation off centre") if is_off else ("rotation range", "rotation")
    return turned(name, family, f"{title} {width:g}", change, rotation_range(width), width)


def _normal(name: str, width: float) -> Task:
    change = Along("rotation2d", "rotation", Law(width=width, shape="normal"))
    half = SAME_SPREAD * width
    truth = rotation_range(half, "normal")
    return turned(name, "normal rotation", f"rotation normal {width:g}", change, truth, half)


def _modes(name: str, family: str, modes: tuple[float, ...], width: float) -> Task:
    change = Along("rotation2d", "rotation", Law(width=width, modes=modes))
    title = f"{family}: {', '.join(f'{m:g}' for m in modes)} ± {width:g}"
    # the least range about 0 that holds all modes
    hull = min(max(map(_wrapped, modes)) + width, 180.0)
    return turned(name, family, title, change, rotation_range(width, "modes", modes), hull)


def _turns(n: int) -> tuple[float, ...]:
    return tuple(360.0 * k / n for k in range(n))


def _wrapped(angle: float) -> float:
    return abs((angle + 180.0) % 360.0 - 180.0)
