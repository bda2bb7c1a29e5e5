"""Pages and figures with names that are markup, formulas or marks: they are shown as they are, and do nothing."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import yaml

from learnsym.degrees import Degree
from learnsym.report import panel
from learnsym.report.card import Card
from learnsym.report.card.page import _panels as panels_of_card
from learnsym.report.card.page import write_page
from learnsym.report.card.row import Row
from learnsym.report.comparison import draw_comparison
from learnsym.report.figures.style import label_of, save
from learnsym.report.panel import drawn, slug
from learnsym.report.run import render as render_run
from learnsym.report.run.draw import panels as panels_of_run
from learnsym.report.scaling import render as render_scaling
from learnsym.report.scaling.panels import panels as panels_of_scaling
from learnsym.scaling import StudySettings, study_folder
from tests.comparison import tables
from tests.scaling import scaling_tables

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

MARKUP = "<script>alert(1)</script>\"onload='alert(1)'>&amp;<b>&$x^{2$"
MARKS = r"_{{ 7 * 7 }}{% raw %}$ and $ \frac{" + "\u202eright to left"
NAMES = [MARKUP, MARKS, "_", "$", r"\$x^{2$ and \\$", "$$$"]


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.texts += [value for _, value in attrs if value]

    def handle_data(self, data):
        self.texts.append(data)


def run_page(folder, name, analysis):
    """The report of a run."""
    odd = Degree(site=f"layer:{name}", group=name, generator=name, unit="1", notion="task", method=name, estimate=0.5)
    data = replace(
        analysis.data[0], label=name, degrees=[*analysis.data[0].degrees, odd], notes=[name], unfinished=[name]
    )
    data = replace(data, poses=[replace(data.poses[0], flags=[name])])
    analysis = replace(analysis, data=[data], config={name: name}, environment={name: name})
    return render_run(analysis, [drawn(each, folder / "figures") for each in panels_of_run(data)])


def card_page(folder, name, analysis):
    """The card of a model."""
    rows = [
        Row(symmetry=name, site="output", measure="equivariance error", value=0.1, relative=0.1, stderr=0.01),
        *[
            Row(symmetry=name, site="output", measure="error at an element", value=0.1, element=f"{k} {name}")
            for k in range(3)
        ],
        Row(symmetry=name, site=f"layer:{name}", measure="contribution", value=0.1, generator=name),
    ]
    known = {"model": name, "data": name, "symmetries": (name,), "notes": (name,), "doubt": name}
    card = Card(folder=folder, examples=3, rows=tuple(rows), **known)
    assert len(list(panels_of_card(card))) == 2
    write_page(card)
    return card.page.read_text(encoding="utf8")


def comparison_page(folder, name, analysis):
    """The page of a comparison."""
    curves = {name: tables.CURVES["plain"], "exact": tables.CURVES["exact"]}
    rows = tables.table(curves, train=(100, 1000), sizes=(8, 16))
    failed = rows.iloc[[0]].assign(state="failed", failure=name, seed=9)
    folder.mkdir(exist_ok=True)
    pandas.concat([rows, failed]).to_parquet(folder / "table.parquet", index=False)
    arms = {name: {"twin": "plain"}, "exact": {"twin": "exact"}}
    content = {"arms": arms, "train_sizes": [100, 1000], "sizes": [8, 16], "seeds": [0, 1, 2], "reference": name}
    (folder / "comparison.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf8")
    return draw_comparison(folder).read_text(encoding="utf8")


def scaling_page(folder, name, analysis):
    """The page of a study of scaling."""
    study = renamed(fitted(folder.parent), name)
    return render_scaling(study, [drawn(each, folder / "figures") for each in panels_of_scaling(study)])


@cache
def fitted(folder):
    """A study of two arms."""
    laws = {"stand-in": scaling_tables.LAWS["plain"], "exact": scaling_tables.LAWS["exact"]}
    few = {"sizes": (1000, 8000, 60000), "steps": (100, 1000, 10_000), "seeds": 1}
    return study_folder(scaling_tables.write(folder, scaling_tables.table(laws, **few)), StudySettings(replicates=20))


def renamed(value, name):
    """Whatever a study holds, with another name of the first arm."""
    if isinstance(value, str):
        return value.replace("stand-in", name)
    if isinstance(value, list | tuple):
        return type(value)(renamed(part, name) for part in value)
    if isinstance(value, dict):
        return {key: renamed(part, name) for key, part in value.items()}
    if is_dataclass(value):
        return replace(value, **{field.name: renamed(getattr(value, field.name), name) for field in fields(value)})
    return value


TEXT = "{http://www.w3.org/2000/svg}text"
PAGES = {"run": run_page, "card": card_page, "comparison": comparison_page, "scaling": scaling_page}


@pytest.fixture
def svg_only(monkeypatch):
    monkeypatch.setattr(panel, "save", partial(save, raster=False))


@pytest.mark.parametrize("kind", PAGES)
def test_names_are_text_on_every_page(kind, tmp_path, analysis, svg_only):
    harmless = Structure(PAGES[kind](tmp_path / "harmless", "other", analysis))
    for k, name in enumerate([MARKUP, MARKS]):
        page = PAGES[kind](tmp_path / str(k), name, analysis)
        found = Structure(page)
        assert sorted(found.elements) == sorted(harmless.elements)  # rows are ordered by their names
        assert any(name in text for text in found.texts) and "<script" not in page
        for figure in (tmp_path / str(k) / "figures").glob("*.svg"):
            ElementTree.parse(figure)


@pytest.mark.parametrize("name", NAMES)
def test_figures_show_names_as_they_are(name, tmp_path):
    def draw(ax):
        ax.plot([1, 100], [1, 2], label=label_of(name))
        ax.set(xscale="log", title=name, xlabel=name, ylabel=name, yticks=[1, 2], yticklabels=[name, "b"])
        ax.text(1, 1, name)
        ax.legend(title=name)
        return ax

    root = ElementTree.fromstring(save(draw, tmp_path / "figure"))
    texts = [text.replace("\u200b", "") for text in map("".join, map(ElementTree.Element.itertext, root.iter(TEXT)))]
    assert texts.count(name) == 7
    assert "100" in {"".join(text.split()) for text in texts}  # ten to the power 0, of the axis


def test_a_long_name_is_no_longer_a_file_name():
    first, second = slug("a" * 3000), slug("a" * 3001)
    assert len(first) < 100 and first != second and slug("a" * 60) == "a" * 60
