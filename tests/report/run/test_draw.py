from pathlib import Path

import pytest

from learnsym.report import figures
from learnsym.report.panel import Panel
from learnsym.report.run.draw import draw, panels
from learnsym.report.run.results import Analysis, DataResult


def all_panels(analysis: Analysis) -> dict[str, Panel]:
    return {panel.kind: panel for panel in panels(analysis.data[1])}


KINDS = ("poses", "extent", "widths", "orbits", "angles", "loss", "width-curves")


@pytest.mark.parametrize("kind", KINDS)
def test_each_figure_returns_the_axes_it_was_given(analysis: Analysis, kind: str):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    with figures.styled():
        assert all_panels(analysis)[kind].draw(ax) is ax
    assert ax.has_data()


@pytest.mark.parametrize("kind", KINDS)
def test_each_figure_is_described_in_words(analysis: Analysis, kind: str):
    alt = all_panels(analysis)[kind].alt
    assert "rotated-60" in alt and len(alt) > 30


def test_figures_are_saved_in_both_formats(analysis: Analysis, tmp_path: Path):
    one = Analysis(path=tmp_path, data=[analysis.data[0]])
    drawn = draw(one, tmp_path / "figures", progress=False)
    for panel in drawn:
        assert panel.svg.lstrip().startswith("<?xml")
        assert (tmp_path / "figures" / f"{panel.name}.svg").read_text() == panel.svg
        assert (tmp_path / "figures" / f"{panel.name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_is_drawn_the_same_twice(analysis: Analysis, tmp_path: Path):
    panel = all_panels(analysis)["angles"]
    texts = [figures.save(panel.draw, tmp_path / "angles", panel.size, raster=False) for _ in range(2)]
    assert texts[0] == texts[1]


def test_data_without_findings_has_no_figures():
    assert list(panels(DataResult(label="empty", examples=3, twins=[]))) == []
