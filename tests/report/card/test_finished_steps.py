"""Finished steps of a card are written once each, and outlive a work that is stopped or killed."""

from __future__ import annotations

import json

import pytest

from learnsym.report.card.finished import FinishedSteps

STEPS = [f"step {k}" for k in range(32)]


@pytest.fixture
def steps(tmp_path):
    """Opens what the folder has of one symmetry."""
    return lambda key="a": FinishedSteps(tmp_path, {"flip2d": key})


def test_what_is_written_grows_as_the_number_of_steps(steps, tmp_path):
    opened, sizes = steps(), []
    for step in STEPS:
        opened.save("flip2d", step, ["a note of one length"])
        sizes.append((tmp_path / "steps.jsonl").stat().st_size)
    assert not (tmp_path / "card.json").exists()  # which holds all of them, and would be written anew
    written = [after - before for before, after in zip([0, *sizes], sizes, strict=False)]
    assert max(written) <= min(written) + 1  # a digit of the number


def test_steps_of_a_killed_work_are_used_again(steps, tmp_path):
    opened = steps()
    for step in STEPS[:3]:
        opened.save("flip2d", step, [f"note of {step}"])
    path = tmp_path / "steps.jsonl"
    path.write_text(path.read_text()[:-9])  # the last one was being written
    again = steps()
    assert [again.load("flip2d", step) for step in STEPS[:3]] == [["note of step 0"], ["note of step 1"], None]
    again.save("flip2d", STEPS[2], ["another"])
    assert steps().load("flip2d", STEPS[2]) == ["another"]
    assert steps("b").load("flip2d", STEPS[0]) is None  # of another question


def test_a_stopped_work_leaves_its_steps_in_the_card(steps, tmp_path):
    opened = steps()
    with pytest.raises(KeyboardInterrupt), opened.kept_when_stopped():
        opened.save("flip2d", STEPS[0], ["note"])
        raise KeyboardInterrupt
    assert not (tmp_path / "steps.jsonl").exists()
    assert list(json.loads((tmp_path / "card.json").read_text())["steps"]) == ["flip2d/step 0"]
    assert steps().load("flip2d", STEPS[0]) == ["note"]
