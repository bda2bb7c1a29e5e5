"""The dial of a verdict: a disc sector for the poses in the data, a ring for the widths that labels tolerate."""

from __future__ import annotations

import math

from learnsym.report.run import words
from learnsym.report.run.results import DataResult, ExtentCurve, PoseLaw

_CENTRE = 60.0


def sector(half_width: float, radius: float, inner: float = 0.0) -> str:
    """SVG path of a disc sector or ring within `half_width` degrees of upright, both ways."""
    if half_width >= 179.5:
        return _circle(radius) + (_circle(inner) if inner else "")
    (x0, y0), (x1, y1) = _point(-half_width, radius), _point(half_width, radius)
    large = int(half_width > 90)
    arc = f"M{x0} {y0}A{radius} {radius} 0 {large} 1 {x1} {y1}"
    if not inner:
        return f"{arc}L{_CENTRE} {_CENTRE}Z"
    (x2, y2), (x3, y3) = _point(half_width, inner), _point(-half_width, inner)
    return f"{arc}L{x2} {y2}A{inner} {inner} 0 {large} 0 {x3} {y3}Z"


def dial(data: DataResult) -> dict[str, object] | None:
    """Paths of the dial of one data set; None when nothing measured is a rotation."""
    law = next((law for law in data.poses if law.unit == "degree" and law.kind != "unreadable"), None)
    extent = data.extent if data.extent is not None and data.extent.unit == "degree" else None
    if law is None and extent is None:
        return None
    paths: list[dict[str, str]] = []
    if law is not None:
        paths += _poses(law)
    if extent is not None:
        paths += _tolerated(extent)
    return {"paths": paths, "alt": _alt(law, extent)}


def _poses(law: PoseLaw) -> list[dict[str, str]]:
    outer = law.half_width.high if law.half_width.high is not None else law.half_width.estimate
    turns = round(law.facts.get("order", 1.0)) if law.kind == "periodic" else 1
    drawn = [
        {"class": "poses-interval", "d": sector(outer, 41.0)},
        {"class": "poses", "d": sector(max(law.half_width.estimate, 0.8), 41.0)},
    ]
    return [{**path, "turn": f"rotate({360 * i / turns:g} 60 60)"} for i in range(turns) for path in drawn]


def _tolerated(extent: ExtentCurve) -> list[dict[str, str]]:
    return [
        {"turn": "", "class": "tolerated-set", "d": sector(max(max(extent.tolerated), 1.0), 56.0, 47.0)},
        {"turn": "", "class": "tolerated", "d": sector(max(min(extent.tolerated), 1.0), 56.0, 47.0)},
    ]


def _alt(law: PoseLaw | None, extent: ExtentCurve | None) -> str:
    parts = [words.pose_headline(law)] if law is not None else []
    return "; ".join(parts + ([words.extent_headline(extent)] if extent is not None else []))


def _point(angle: float, radius: float) -> tuple[float, float]:
    radians = math.radians(angle)
    return round(_CENTRE + radius * math.sin(radians), 2), round(_CENTRE - radius * math.cos(radians), 2)


def _circle(radius: float) -> str:
    left, right = _CENTRE - radius, _CENTRE + radius
    return f"M{left} {_CENTRE}A{radius} {radius} 0 1 1 {right} {_CENTRE}A{radius} {radius} 0 1 1 {left} {_CENTRE}Z"
