"""The page of a search: whole, self-contained, and unharmed by trials that gave nothing."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from learnsym.report.panel import drawn
from learnsym.report.tuning import Search, Trial, draw_tuning, read_search, render
from learnsym.report.tuning.panels import panels
from learnsym.report.tuning.words import verdict
from learnsym.tuning import Choices, Range, SearchSpace
from tests.report.run.test_page import Tree

pytest.importorskip("optuna")

SPACE = SearchSpace(
    parameters={
        "optimiser.lr": Range(low=1e-4, high=1e-1, log=True),
        "net.width": Range(low=8, high=64, step=8, whole=True),
        "net.norm": Choices(values=("group", "none", None)),
    },
    seeds=(0, 1, 2),
)
FAILURE = "the loss is not finite; lower optimiser.lr"


def trial(number, value, noise=0.02, **changes):
    rng = np.random.default_rng(number)
    by_seed = {seed: value + noise * float(rng.normal()) for seed in SPACE.seeds}
    parameters = {
        "optimiser.lr": 10 ** -rng.uniform(1, 4),
        "net.width": 8 * int(rng.integers(1, 9)),
        "net.norm": "none",
    }
    mean = math.fsum(by_seed.values()) / len(by_seed)
    values = (mean,)
    return Trial(
        **{"number": number, "state": "complete", "parameters": parameters, "values": values, "by_seed": by_seed}
        | {"seconds": 1.5}
        | changes
    )


def failed(number, **changes):
    return trial(number, 0.0, **{"state": "fail", "values": (), "by_seed": {}, "failure": FAILURE} | changes)


def search(trials, space=SPACE, **changes):
    done = sorted((t for t in trials if t.values), key=lambda t: t.values[0])
    found = Search(
        name="digits", space=space, configuration={"net": {"width": 8}}, trials=trials,
        best=done[0] if done else None, front=done[:1], importances={},
    )  # fmt: skip
    return replace(found, **changes)


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_a_real_study_makes_a_whole_page(begin, tmp_path):
    from learnsym.tuning import tune

    study = begin(seeds=(0, 1), prune=None)
    tune(study, 3, tmp_path)
    assert study.optuna.metric_names == ["loss"]
    page = draw_tuning(study, tmp_path).read_text(encoding="utf8")
    tree = Tree()
    tree.feed(page)
    assert not tree.open and all(address.startswith("data:") for address in tree.addresses) and "<script" not in page
    assert len(tree.alts) == 2 and all(tree.alts)
    found = read_search(study)
    assert f"Trial {found.best.number} is the best of 3: loss" in words(page) and "optimiser.lr" in page
    values = [sum(t.by_seed.values()) / 2 for t in found.trials]
    assert [t.values[0] for t in found.trials] == pytest.approx(values)
    assert found.best.values[0] == min(values)


def test_failed_pruned_and_running_trials_are_told_and_harmless(tmp_path):
    trials = [trial(0, 0.5), failed(1), failed(2, parameters={}), trial(3, 0.4)]
    trials += [
        trial(4, 0.9, state="pruned", values=(), by_seed={0: 0.9}),
        trial(5, 0.0, state="running", values=(), by_seed={}),
    ]
    found = search(trials)
    figures = [drawn(panel, tmp_path) for panel in panels(found)]
    page = words(render(found, figures))
    assert "2 complete, 1 pruned, 2 failed, 1 still to end" in page
    assert f"Trials 1, 2: {FAILURE}" in page and "Trial 3 is the best of 5" in page
    assert len(figures) == 4 and "nan" not in page


@pytest.mark.parametrize("trials", [[], [failed(0)], [trial(0, 0.5, state="running", values=(), by_seed={})]])
def test_without_a_value_there_is_a_page(trials):
    page = words(render(search(trials), []))
    assert "No trial has given a value" in page and not list(panels(search(trials)))


@pytest.mark.parametrize("values", [[0.5], [1e30, 0.5], [0.0, -3.0, 2.0], [0.5, 0.5, 0.5], [1e-12, 1e12]])
def test_odd_values_can_be_drawn(values, tmp_path):
    found = search([trial(k, value, noise=0.0) for k, value in enumerate(values)], importances={"optimiser.lr": 1.0})
    assert all(drawn(panel, tmp_path).svg for panel in panels(found))


def test_trials_within_the_noise_of_the_best_are_counted():
    same = search([trial(k, 0.5, noise=0.1) for k in range(4)])
    apart = search([trial(0, 0.1, noise=0.001), trial(1, 0.9, noise=0.001)])
    assert "0 of the 1 other complete trials are not told apart" in verdict(apart).detail
    close = re.search(r"(\d) of the 3 other", verdict(same).detail)
    assert close and int(close.group(1)) >= 1


def test_one_seed_says_that_nothing_is_known_of_seeds():
    found = search([trial(0, 0.5, by_seed={0: 0.5})], replace(SPACE, seeds=(0,)))
    assert "[" not in verdict(found).headline and "one seed" in verdict(found).detail


def test_several_objectives_have_a_front():
    space = replace(SPACE, objectives=("loss", "cost"))
    trials = [trial(k, 0.5, values=(0.5 + k, 1e6 * (4 - k))) for k in range(3)]
    found = search(trials, space, front=trials)
    assert "one of 3 that no other beats in all objectives, of 3" in verdict(found).headline
    assert "4 MFLOP" in verdict(found).headline
    assert [panel.kind for panel in panels(found)].count("history") == 3


def test_names_are_escaped():
    page = render(search([failed(0, failure="<script>alert(1)</script>")], name="<b>x</b>"), [])
    assert "<script>" not in page and "<b>x" not in page
