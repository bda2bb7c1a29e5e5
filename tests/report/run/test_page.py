import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from learnsym.report.run import gauge, render, text_table
from learnsym.report.run.draw import panels
from learnsym.report.run.results import Analysis, DataResult, TwinResult
from learnsym.statistics import Interval

VOID = {"meta", "link", "img", "circle", "path", "line", "rect", "br"}


class Tree(HTMLParser):
    """Checks that elements are closed, and collects links and images."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.alts: list[str | None] = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [found[name] for name in ("src", "href") if name in found]
        if tag == "img":
            self.alts.append(found.get("alt"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def page(analysis: Analysis) -> str:
    svg = "<svg xmlns='http://www.w3.org/2000/svg'/>"
    return render(analysis, [replace(panel, svg=svg) for data in analysis.data for panel in panels(data)])


def test_the_page_is_whole_and_fetches_nothing(page: str):
    tree = Tree()
    tree.feed(page)
    assert tree.open == []
    assert tree.addresses and all(address.startswith("data:") for address in tree.addresses)
    assert not re.search(r"url\((?!data:)", page) and "<script" not in page


def test_every_image_has_a_text(page: str):
    tree = Tree()
    tree.feed(page)
    assert tree.alts and all(tree.alts)


def test_the_page_states_verdicts_notions_flags_and_configuration(page: str):
    for text in (
        "Not rotated, or by less than 6°",
        "Rotated by up to 61°",
        "Rotated by any angle",
        "Distribution symmetry",
        "Task symmetry",
    ):
        assert text in page
    assert "cannot be learnt" in page and "name: digits" in page and "2.13.0" in page


def test_labels_are_escaped(analysis: Analysis):
    data = replace(analysis.data[0], label="<b>&")
    page = render(replace(analysis, data=[data]), [])
    assert "&lt;b&gt;&amp;" in page and "<b>&</b>" not in page


def test_a_page_without_findings_is_still_a_page(tmp_path: Path):
    twin = TwinResult(name="plain", seeds=[0], accuracy=Interval(estimate=0.5))
    bare = DataResult(label="bare", examples=10, twins=[twin], notes=["No law of poses along 'rotation'."])
    page = render(Analysis(path=tmp_path, data=[bare]), [])
    assert "50.0%" in page and "No law of poses" in page


def test_a_regression_has_errors_instead_of_accuracies(tmp_path: Path):
    found = {"learned": 0.25, "plain": 0.5}
    twins = [
        TwinResult(name=name, seeds=[0], accuracy=Interval(estimate=value), score="squared error")
        for name, value in found.items()
    ]
    analysis = Analysis(path=tmp_path, data=[DataResult(label="line", examples=10, twins=twins)])
    page = render(analysis, [])
    assert "Squared error 0.25 with the learned twin" in page and "%" not in text_table(analysis).splitlines()[2]


@pytest.mark.parametrize("half_width", [0.5, 60.0, 90.0, 120.0, 180.0])
def test_the_dial_is_symmetric_about_upright(half_width: float):
    path = gauge.sector(half_width, 40.0)
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.split("A")[0])]
    mirrored = 120 - numbers[0]
    assert str(round(mirrored, 2)) in path
