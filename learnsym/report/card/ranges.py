"""Which elements of a group are tried: all of a compact one, those of a box, or those within ranges asked for.

Legend of axes: `D` generators.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch

from learnsym.distributions import ComponentMixture, GroupDistribution, LieBox
from learnsym.groups import Group

PART_OF_CAP = 0.25
"""Where a group is not compact, the elements that are tried lie within this part of each generator's cap."""
PART_OF_CURVE = 0.5
"""The same where one generator is tried by itself."""


def read_ranges(words: Sequence[str]) -> dict[str, float]:
    """Ranges as they are typed, `rotation=30`.

    Raises:
        ValueError: for a word of another form, or a generator that is named twice.

    Example:
        >>> from learnsym.report.card.ranges import read_ranges
        >>> read_ranges(["rotation=30", "scale=0.2"])
        {'rotation': 30.0, 'scale': 0.2}
    """
    ranges: dict[str, float] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name in ranges:
            raise ValueError(f"range: got {name!r} twice; name each generator once")
        try:
            ranges[name] = float(text)
        except ValueError:
            raise ValueError(f"range: got {word!r}, must be GENERATOR=NUMBER; such as rotation=30") from None
    return ranges


def check_ranges(ranges: Mapping[str, float], groups: Iterable[Group]) -> None:
    """Raise ValueError for a range of no generator of these groups, or one that is not within the generator's cap."""
    generators = {generator.name: generator for group in groups for generator in group.generators}
    for name, width in ranges.items():
        if name not in generators:
            known = f"must be one of {', '.join(generators)}" if generators else "and these symmetries have none"
            raise ValueError(f"range: got the generator {name!r}, {known}; name one, or leave the range out")
        cap, unit = generators[name].cap / generators[name].per_unit, generators[name].unit
        if not (0 < width <= cap * (1 + 1e-6) and math.isfinite(width)):
            raise ValueError(f"range: got {name}={width:g}, must be above 0 and at most {cap:.4g} (unit: {unit})")


def distribution_within(group: Group, ranges: Mapping[str, float]) -> GroupDistribution | None:
    """Of the elements that are tried: None for the Haar measure, else a box, in each component alike."""
    if group.is_compact and ranges.keys().isdisjoint(generator.name for generator in group.generators):
        return None
    part = 1.0 if group.is_compact else PART_OF_CAP
    widths = [_within(ranges.get(g.name), g.cap, g.per_unit, part) for g in group.generators]
    box = LieBox(group, torch.tensor(widths, dtype=torch.float64))
    count = len(group.components)
    return box if count == 1 else ComponentMixture(box, torch.zeros(count, dtype=torch.float64))


def reach_of(group: Group, index: int, ranges: Mapping[str, float]) -> float:
    """How far one generator is tried by itself, in its unit: once around where its orbit closes."""
    generator = group.generators[index]
    part = 1.0 if closes(group, index) else PART_OF_CURVE
    return _within(ranges.get(generator.name), generator.cap, generator.per_unit, part) / generator.per_unit


def closes(group: Group, index: int) -> bool:
    """Whether a generator leads back to where it began: `exp(hG) = exp(-hG)` at its cap `h`."""
    ends = torch.zeros(2, group.dim, dtype=torch.float64)
    ends[:, index] = torch.tensor([-1.0, 1.0], dtype=torch.float64) * group.generators[index].cap
    start, end = group.exp(ends)
    return torch.allclose(start, end, atol=1e-9)


def tried(group: Group, ranges: Mapping[str, float]) -> str:
    """Which elements are tried, such as `rotation ±30 degree`; empty for a compact group that is tried as a whole."""
    if distribution_within(group, ranges) is None:
        return ""
    part = 1.0 if group.is_compact else PART_OF_CAP
    widths = {g: _within(ranges.get(g.name), g.cap, g.per_unit, part) / g.per_unit for g in group.generators}
    return ", ".join(f"{g.name} ±{width:.3g} {g.unit}".removesuffix(" 1") for g, width in widths.items())


def _within(asked: float | None, cap: float, per_unit: float, part: float) -> float:
    return part * cap if asked is None else min(asked * per_unit, cap)
