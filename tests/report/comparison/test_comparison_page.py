"""The page of a comparison: whole, self-contained, and honest about what is missing."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.comparison.tables import CURVES, TRAIN, table

pytest.importorskip("pyarrow")

from learnsym.comparison.verdicts import crossover, data_efficiency, regret
from learnsym.report.comparison import (
    crossover_verdict,
    draw_comparison,
    efficiency_verdict,
    read_findings,
    regret_verdict,
    render,
)
from learnsym.report.comparison.amounts import count
from learnsym.report.comparison.panels import panels
from learnsym.report.figures import styled
from learnsym.report.words import two_digits
from tests.report.run.test_page import Tree

TWINS = ["plain", "augmented", "exact"]
ARMS = {
    "plain": {"twin": "plain"},
    "augmented": {},
    "exact": {"twin": "exact"},
    "learned": {},
}
SPECIFICATION = {"arms": ARMS, "train_sizes": list(TRAIN), "seeds": [0, 1, 2], "match": "parameters", "reference": ""}


def folder_of(path, rows, **changes):
    rows.to_parquet(path / "table.parquet", index=False)
    text = yaml.safe_dump({**SPECIFICATION, **changes}, sort_keys=False)
    (path / "comparison.yaml").write_text(text, encoding="utf8")
    return path


def page_of(path, rows, **changes):
    """The page without its figures."""
    return render(read_findings(folder_of(path, rows, **changes)), [])


def words(page):
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


def failing(rows, which):
    lost = ["val_loss", "val_accuracy", "test_loss", "test_accuracy", "seconds"]
    rows = rows.copy()
    rows.loc[rows.index[which], lost] = np.nan
    rows.loc[rows.index[which], "state"] = "failed"
    rows.loc[rows.index[which], "failure"] = "loss is not finite at step 120"
    return rows


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    rows = table(sizes=(8, 16), steps=(300, 1000))
    folder = folder_of(tmp_path_factory.mktemp("grid"), rows, sizes=[8, 16], steps=[300, 1000])
    return draw_comparison(folder)


def test_the_page_is_whole_and_fetches_nothing(drawn):
    page = drawn.read_text(encoding="utf8")
    tree = Tree()
    tree.feed(page)
    assert not tree.open and tree.addresses and all(address.startswith("data:") for address in tree.addresses)
    assert not re.search(r"url\((?!data:)", page) and "<script" not in page
    assert len(tree.alts) >= 9 and all(tree.alts)


def test_figures_are_saved_beside_the_page(drawn):
    names = {path.stem for path in (drawn.parent / "figures").glob("*.png")}
    assert {
        "curves-test-accuracy-chosen-by-validation",
        "map-best-of-all-arms",
        "compute-test-loss-against-compute",
    } <= names


def test_the_page_has_its_sections(drawn):
    page = words(drawn.read_text(encoding="utf8"))
    for text in ("288 of 288 cells", "exact wins below n = ", "twin: exact", "What does it cost?", "MFLOP"):
        assert text in page
    assert "Half-way" not in page and "What failed?" not in page and "learnsym compare" in page


def test_half_finished_comparisons_say_so(tmp_path):
    rows = failing(table().sample(frac=0.5, random_state=0).reset_index(drop=True), [0, 1])
    page = words(page_of(tmp_path, rows))
    assert "34 of 72 cells, 2 failed" in page and "36 cells are still to come" in page
    assert "2 cells: loss is not finite at step 120" in page


def test_the_plan_says_how_many_cells_there_are(tmp_path):
    plan = {"version": 1, "made_of": [], "networks": [], "cells": {str(k): "" for k in range(99)}}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert "72 of 99 cells" in words(page_of(tmp_path, table()))


def test_one_seed_has_no_intervals(tmp_path):
    page = words(page_of(tmp_path, table(seeds=(0,)), seeds=[0]))
    assert "there are no intervals" in page and "wins below" not in page and "beats" not in page
    assert "∞" not in page and "nan" not in page


def test_regression_has_losses(tmp_path):
    page = words(page_of(tmp_path, table(accuracy=False)))
    assert "Test loss by number of examples" in page and "accuracy by" not in page and "points" not in page
    assert "% in loss" in page and "nan" not in page


def test_one_data_size_is_a_comparison(tmp_path):
    page = words(page_of(tmp_path, table(train=(1000,)), train_sizes=[1000]))
    assert "at n = 1,000" in page and "12 of 12 cells" in page


def test_only_failures_still_make_a_page(tmp_path):
    rows = failing(table(train=(100,)), slice(None))
    page = draw_comparison(folder_of(tmp_path, rows)).read_text(encoding="utf8")
    assert "No cell has finished" in page and "not finite" in page


def test_one_arm_alone_makes_a_page(tmp_path):
    rows = table({"plain": CURVES["plain"]}, train=(100, 300))
    assert "plain" in page_of(tmp_path, rows, arms={"plain": {}})


def test_names_are_escaped(tmp_path):
    name = "<b>&"
    page = page_of(tmp_path, table({name: CURVES["exact"], "plain": CURVES["plain"]}), arms={name: {}, "plain": {}})
    assert "&lt;b&gt;&amp;" in page and "<b>&<" not in page


def test_folders_without_a_comparison_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no table\.parquet"):
        draw_comparison(tmp_path)
    folder_of(tmp_path, table().iloc[:0])
    with pytest.raises(ValueError, match=r"no cell of .* has ended"):
        draw_comparison(tmp_path)
    with pytest.raises(ValueError, match="level"):
        draw_comparison(tmp_path, level=90.0)


def test_each_figure_returns_the_axes_it_was_given(tmp_path):
    from matplotlib.figure import Figure

    found = read_findings(folder_of(tmp_path, table(sizes=(8, 16))))
    made = list(panels(found))
    assert {panel.kind for panel in made} == {"curves", "sizes", "differences", "map", "compute", "degrees"}
    for panel in made:
        ax = Figure().subplots()
        with styled():
            assert panel.draw(ax) is ax
        assert ax.has_data() and len(panel.alt) > 30


def verdicts_of(rows):
    yield regret_verdict(regret(rows, "learned", TWINS))
    for first, second in (("exact", "plain"), ("exact", "learned"), ("plain", "augmented")):
        yield crossover_verdict(crossover(rows, first, second))
        yield efficiency_verdict(data_efficiency(rows, second, first), second, first)


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("accuracy", [True, False])
def test_every_verdict_has_an_interval(noise, accuracy):
    for verdict in verdicts_of(table(noise=noise, accuracy=accuracy)):
        if verdict is not None:
            text = f"{verdict.headline} {verdict.detail}"
            assert "[" in text or "less than" in text or "more than" in text


def test_verdicts_in_words():
    rows = table(noise=0.003)
    text = crossover_verdict(crossover(rows, "exact", "plain")).headline
    assert re.fullmatch(r"exact wins below n = \d+ \[\d+, [\d,]+\] training examples, plain above", text)
    assert (
        regret_verdict(regret(rows, "learned", TWINS)).headline
        == "learned is within 0.50 points of the better twin everywhere"
    )
    needed = efficiency_verdict(data_efficiency(rows, "plain", "exact"), "plain", "exact")
    assert needed is not None and re.match(
        r"plain needs 2\.\d \[.*\] times the examples to do as well as exact", needed.headline
    )


def test_a_lead_over_all_twins_is_told():
    ahead = {**CURVES, "learned": lambda n: (0.5 if n == 300 else 1.01) * min(CURVES[arm](n) for arm in TWINS)}
    found = regret(table(ahead, noise=0.003), "learned", TWINS)
    assert [one.cell.train for one in found.surely_ahead] == [300]
    assert re.search(
        r"Surely ahead of all other twins in 1, most by .* \[.*\] points at n = 300, where",
        regret_verdict(found).detail,
    )


def test_verdicts_when_one_arm_is_better():
    better = {"exact": CURVES["exact"], "plain": lambda n: 1.4 * CURVES["exact"](n)}
    assert crossover_verdict(crossover(table(better, noise=0.01), "exact", "plain")).headline.startswith(
        "exact beats plain at every n from n = 100 to 30,000"
    )
    same = {"exact": CURVES["exact"], "plain": lambda n: CURVES["exact"](n) * (1 + 0.5 * (n < 500))}
    headline = crossover_verdict(crossover(table(same, noise=0.02, random=2), "exact", "plain")).headline
    assert headline.startswith("exact beats plain up to n = ") and "undecided" in headline


def test_numbers_have_two_digits():
    assert [count(n) for n in (100, 928, 12345, 7)] == ["100", "930", "12,000", "7"]
    assert [two_digits(x) for x in (0.184, -0.2, 3.14159, 12.7, -0.0001)] == ["0.18", "−0.20", "3.1", "13", "0"]


def test_large_pages_say_what_they_leave_out_and_where_it_is(tmp_path, monkeypatch):
    """2 arms at 300 places with several figures of each kind: no score is lost."""
    from learnsym.report.comparison import folding
    from learnsym.report.comparison.folding import FIGURES, MAP, POINTS

    monkeypatch.setattr(folding, "VALUES", 200)
    many = {"train": tuple(range(100, 400, 10)), "sizes": tuple(range(8, 18)), "seeds": (0, 1)}
    rows = table({arm: CURVES[arm] for arm in ("plain", "learned")}, **many)
    page = draw_comparison(folder_of(tmp_path, rows)).read_text(encoding="utf8")
    text, places = words(page), len(many["train"]) * len(many["sizes"])
    assert f"100 of {places} places of the grid" in text and "scores.csv" in page
    assert f"{FIGURES} of {len(many['sizes'])} sizes are drawn" in text
    assert f"({MAP[0] * len(many['sizes'])} of {places} places, evenly spaced)" in text
    assert f"({POINTS} of {places} places an arm and the best)" in text
    kept = pd.read_csv(tmp_path / "scores.csv")
    assert len(kept) == 2 * places and set(kept["seeds"]) == {2}
    mean = rows[(rows.arm == "plain") & (rows.train == 100) & (rows["size"] == 8)]["test_accuracy"].mean()
    of_plain = kept[(kept.arm == "plain") & (kept.examples == 100) & (kept["size"] == 8)]
    assert of_plain["test accuracy"].item() == pytest.approx(mean)
    assert (kept["low"] <= kept["test accuracy"]).all() and (kept["test accuracy"] <= kept["high"]).all()
    chosen = pd.read_csv(tmp_path / "scores-chosen.csv")
    assert len(chosen) == 2 * len(many["train"])


def test_many_reasons_of_failures_are_counted(tmp_path):
    rows = table(seeds=range(6))
    failed = failing(rows, list(range(60)))
    failed.loc[failed.index[:60], "failure"] = [f"not finite at step {k // 2}" for k in range(60)]
    text = words(page_of(tmp_path, failed))
    assert text.count("not finite at step") == 20 and "20 cells: 10 more reasons; all are in table.parquet" in text
