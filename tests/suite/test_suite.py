"""The suite as a whole: all cells of what is asked, each once, whatever happens in between."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from learnsym.cli import main
from learnsym.data.known import task_by_name, tasks
from learnsym.methods import registry
from learnsym.suite import SIZES, Suite, SuiteConfig, markdown_table, run
from learnsym.suite.cells import SHARED, cells, piece, why_missing
from learnsym.suite.config import READERS
from learnsym.suite.twins import BATCH, config_of, copies_of, twin
from learnsym.training.build import build_model, build_objective

TINY = replace(
    SIZES["smoke"], only=("forces: none",), train=40, val=40, test=40, steps=3, examples=40, reading=3, seeds=(0,)
)
FIVE = ["digits rotation 45", "compass of 4, ± 10", "drawings of 2 elements: left-right flip", "forces: none"]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(SIZES, "smoke", TINY)


def test_each_reader_answers_what_it_can_and_says_why_not(tmp_path):
    config = SuiteConfig(only=FIVE, methods=list(READERS))
    suite = run(config, tmp_path / "suite")
    fits = {(e["task"], e["method"]) for e in suite.entries if not e["reason"]}
    assert fits == {(FIVE[0], "poses"), (FIVE[1], "extent"), (FIVE[2], "closure"), (FIVE[3], "axis")}
    assert len(suite.entries) == len(FIVE) * len(READERS)
    assert all(e["reason"] or e["result"] for e in suite.entries), "no holes"


def test_the_same_call_goes_on_and_one_that_asks_more_adds(tmp_path, monkeypatch):
    first = run(SuiteConfig(methods=["axis"]), tmp_path / "suite")
    monkeypatch.setattr("learnsym.suite.cells._answer", None)  # whatever is computed anew would have no answer
    again = run(SuiteConfig(methods=["axis", "poses"]), tmp_path / "suite")
    assert first.entries[0] in again.entries and len(again.entries) == 2
    written = json.loads((tmp_path / "suite" / "suite.json").read_text())
    assert [e["task"] for e in written["entries"]] == ["forces: none"] * 2
    kept = Suite.read(tmp_path / "suite")
    assert kept.config == again.config and kept.scores == again.scores
    assert markdown_table(kept).startswith("| half | estimator | tasks | does not fit |")
    page = (tmp_path / "suite" / "report.html").read_text()
    assert "forces: none" in page and "poses has no answer about residual axis" in page


def test_twins_are_told_the_truth_and_cost_what_they_do():
    found = {arm: twin(FIVE[1], "augerino", "", arm, TINY, 0) for arm in ("plain", "oracle", "exact")}
    assert found["plain"]["steps"] == 9 and found["plain"]["cost"] == pytest.approx(3.0)
    assert found["exact"]["steps"] == 1 and found["exact"]["cost"] == pytest.approx(8 / 3, rel=0.01)
    assert found["oracle"]["copies"] == [1, 8]
    oracle = config_of(task_by_name(FIVE[1]), "augerino", "", "oracle", TINY, 0)
    assert copies_of(oracle.method, "plain") == [1, 1]
    assert getattr(oracle.method, "fixed", None) == {"rotation": task_by_name(FIVE[1]).truth.half_width}
    learned = config_of(task_by_name(FIVE[1]), "augerino", "selection", "learned", TINY, 0)
    assert not getattr(learned.method, "fixed", None), "the truth"


def test_a_selection_is_trained_for_as_many_steps_as_its_twins_pay_for():
    size, task = replace(TINY, steps=60, val=80), task_by_name(FIVE[1])
    found = twin(FIVE[1], "augerino", "selection", "learned", size, 0)
    config = config_of(task, "augerino", "selection", "learned", size, 0)
    config = replace(config, train=replace(config.train, steps=found["steps"]))
    splits = task.splits(0, train=size.train, val=size.val, test=size.test)
    model = build_model(config, splits.train.signature)
    priced = build_objective(config, model, splits).trainings(len(model.names), BATCH, model.test_copies)
    assert found["steps"] * priced == pytest.approx(3 * size.steps, rel=0.02)
    assert 2.6 < found["cost"] < 3.0, "what was counted: a look with the identity alone has one copy"


def test_a_learned_twin_answers_about_what_labels_tolerate_only():
    task_side = twin(FIVE[1], "augerino", "training", "learned", TINY, 0)
    assert 0 <= task_side["estimate"] <= 180 and task_side["cost"] >= 1
    data_side = twin(FIVE[0], "augerino", "training", "learned", TINY, 0)
    assert "estimate" not in data_side and 0 <= data_side["accuracy"] <= 1


def test_every_chooser_of_a_method_is_asked_by_its_name_alone():
    config = SuiteConfig(only=FIVE[1:2], methods=["augerino"])
    learned = {cell.chooser for cell, reason in cells(config) if cell.arm == "learned" and not reason}
    assert (
        learned == {"training", "validation", "selection", "marginal_likelihood"} == set(registry["augerino"].choosers)
    )


def test_a_pair_that_makes_no_sense_does_not_fit():
    config = SuiteConfig(only=FIVE[1:2], methods=["augerino", "remul"], choosers=["validation", "gradnorm"])
    reasons = {(c.method, c.chooser): reason for c, reason in cells(config) if c.arm == "learned"}
    assert "chooser" in reasons["augerino", "gradnorm"] and not reasons["augerino", "validation"]


@pytest.mark.parametrize(
    ("task", "group"),
    [("digits rotation 45", "C_4"), (FIVE[2], "D_1"), ("digits of 8 elements: left-right flip", "D_4")],
)
def test_methods_whose_layers_have_a_group_get_that_of_the_task(task, group):
    found = config_of(task_by_name(task), "constrained", "modulation", "learned", TINY, 0)
    assert found.method.group == group and found.net.name == "steerable"


def test_a_network_whose_layers_have_a_group_is_trained_at_equal_cost():
    found = twin(FIVE[2], "constrained", "forward_selection", "learned", TINY, 0)
    assert 0 <= found["accuracy"] <= 1 and found["steps"] >= 1 and "estimate" not in found


def test_a_group_that_no_layer_has_is_one_sentence():
    with pytest.raises(
        ValueError, match=r"^projection has layers of a group of the plane, and none has translation2d$"
    ):
        config_of(task_by_name("digits translation_x 0.12"), "projection", "training", "learned", TINY, 0)


def test_penalties_are_told_the_symmetry_of_the_task():
    found = config_of(task_by_name("digits scale 0.15"), "remul", "dual", "learned", TINY, 0)
    assert found.method.symmetries == ["scale2d"]


def test_data_that_are_not_found_are_skipped_with_a_reason(monkeypatch):
    monkeypatch.setattr("learnsym.suite.cells._present", lambda name: False)
    assert why_missing(task_by_name("mnist rotation 60")).startswith("skipped: mnist is not found; set LEARNSYM_DATA")
    assert not why_missing(task_by_name(FIVE[0]))
    config = SuiteConfig(only=["mnist rotation 60"])
    assert all(reason.startswith("skipped") for _, reason in cells(config))


def test_cells_have_files_of_their_own(tmp_path):
    config = SuiteConfig(size="small")
    found = [piece(config, cell, tmp_path).path for cell, reason in cells(config) if not reason]
    assert len(set(found)) == len(found) > 500
    assert {task.name for task in tasks()} == {cell.task for cell, _ in cells(config)}


@pytest.mark.parametrize("method", SHARED)
@pytest.mark.parametrize("arm", ["plain", "exact"])
def test_twins_that_methods_share_are_trained_once(tmp_path, method, arm):
    config = SuiteConfig(only=[FIVE[2]], methods=[method, SHARED[method]], choosers=["training"])
    found = {(cell.method, cell.arm): piece(config, cell, tmp_path) for cell, reason in cells(config) if not reason}
    assert found[method, arm].path == found[SHARED[method], arm].path
    assert found[method, "learned"].path != found[SHARED[method], "learned"].path
    own, shared = (twin(FIVE[2], name, "", arm, TINY, seed=0) for name in (method, SHARED[method]))
    assert own == shared


def test_the_command_prints_the_table(tmp_path, capsys):
    assert main(["suite", "--out", str(tmp_path / "s"), "--methods", "axis", "--half", "judge"]) == 0
    printed = capsys.readouterr().out
    assert "false pos." in printed and "axis" in printed and "report.html" in printed
    assert main(["suite", "--out", str(tmp_path / "s"), "--level", "0.8", "--methods", "axis"]) == 2
    assert "holds a suite whose level is 0.9, and 0.8 is asked for" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else than a suite"):
        run(SuiteConfig(methods=["axis"]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
