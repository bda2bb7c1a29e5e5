"""One look for all figures: palette safe for colour-blind readers, a light grid, sizes that read on a phone."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnsym.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with any common colour blindness, and in grey by dash and marker
TWIN_COLOURS = {"learned": "#0072B2", "exact": "#009E73", "fixed": "#E69F00", "plain": "#6B7280"}
NOTION_COLOURS = {"task": "#0072B2", "distribution": "#D55E00"}
SERIES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6B7280"]
DASHES = {"learned": "-", "exact": (0, (5, 1.5)), "fixed": (0, (1, 1)), "plain": (0, (5, 1.5, 1, 1.5))}
# measured with matplotlib's own font, which is wider than these, so that nothing overflows
_FONTS = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans'"
INK, MUTED, GRID = "#1F2933", "#5B6673", "#E4E7EB"

_RC: dict[Any, Any] = {
    "axes.edgecolor": "#9AA5B1",
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "figure.dpi": 100,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the reports; seaborn is imported here, not with the library."""
    import seaborn
    from matplotlib import rc_context

    with seaborn.axes_style("whitegrid"), rc_context(_RC):
        yield


def save(draw: Callable[[Axes], Axes], path: Path, size: tuple[float, float] = (4.2, 3.1), raster: bool = True) -> str:
    """Draw one panel, write `path` as .svg and .png (both atomically), return the text of the SVG.

    Args:
        draw: what to draw; a figure function with its data already given.
        path: the file without its ending.
        size: width and height in inches.
        raster: whether to write the .png too.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with styled(), rc_context({"svg.hashsalt": path.name}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure.subplots())
        literal(figure)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once, not for each format
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        text = svg.getvalue().replace("'DejaVu Sans'", _FONTS)
        _write(path.with_name(path.name + ".svg"), text.encode())
        if raster:
            png = io.BytesIO()
            figure.savefig(png, format="png", dpi=150)
            _write(path.with_name(path.name + ".png"), png.getvalue())
    return text


def label_of(name: str) -> str:
    """A name as the label of a line: matplotlib leaves those that begin with `_` out of legends."""
    return f"\u200b{name}" if name.startswith("_") else name


def literal(figure: Figure) -> None:
    """Draw names as they are written: in them a dollar sign begins no formula. Numbers on axes keep their powers."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    ticks = {text for axis in axes for text in axis.findobj(Text)} - {axis.label for axis in axes}
    for text in set(figure.findobj(Text)) - ticks:
        text.set_parse_math(False)  # pyright: ignore[reportAttributeAccessIssue]
    for axis in axes:
        formatter = axis.get_major_formatter()
        if isinstance(formatter, FixedFormatter | FuncFormatter):  # names; the texts are made when they are drawn
            axis.set_major_formatter(partial(_escaped, formatter))


def _escaped(formatter: Callable[..., str], *where: Any) -> str:  # noqa: ANN401  a number of some kind, and its place
    return formatter(*where).replace("$", r"\$")


def tidy(ax: Axes, grid: str = "y") -> Axes:
    """No box around the panel, a grid along one direction only."""
    import seaborn

    seaborn.despine(ax=ax, left=grid == "y")
    ax.grid(False)
    ax.grid(True, axis=grid)  # pyright: ignore[reportArgumentType]
    ax.set_axisbelow(True)
    return ax


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
