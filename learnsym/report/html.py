"""What all pages share: self-contained files, figures and style inlined, nothing fetched, readable on a phone."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING

from learnsym.report.panel import Panel

if TYPE_CHECKING:
    from jinja2 import Environment


def environment() -> Environment:
    """Templates of pages: every value escaped, every name known."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("learnsym.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(image=image)
    pages.globals.update(css=_style())
    return pages


def image(panel: Panel) -> str:
    """A drawn figure as an address that holds it."""
    return "data:image/svg+xml;base64," + base64.b64encode(panel.svg.encode()).decode()


def by_kind(panels: Iterable[Panel]) -> dict[str, list[Panel]]:
    """Panels of each kind, kinds in alphabetical order."""
    ordered = sorted(panels, key=lambda panel: panel.kind)
    return {kind: list(group) for kind, group in groupby(ordered, key=lambda panel: panel.kind)}


def _style() -> str:
    return resources.files("learnsym.report").joinpath("templates/report.css").read_text(encoding="utf8")
