"""One figure of a page: how it is drawn, what it is called, and what it shows in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym.files import LONGEST_NAME
from learnsym.report.figures.style import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One figure, with its description for those who cannot see it."""

    kind: str
    data: str
    """What it is about, such as the label of a data set; part of the file name."""
    alt: str
    size: tuple[float, float]
    """Width and height in inches."""
    draw: Callable[[Axes], Axes]
    caption: str = ""
    svg: str = ""

    @property
    def name(self) -> str:
        """File name without its ending."""
        return f"{self.kind}-{slug(self.data)}"


def slug(label: str) -> str:
    """A label as a file name; of a long one the beginning, and a hash of all of it."""
    name = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "data"
    return name if len(name) <= LONGEST_NAME else f"{name[:60]}-{sha256(label.encode()).hexdigest()[:12]}"


def drawn(panel: Panel, folder: Path) -> Panel:
    """The panel with its figure, which is also saved in `folder`."""
    return replace(panel, svg=save(panel.draw, folder / panel.name, panel.size))
