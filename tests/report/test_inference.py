"""`ls.infer` from data to page: planted symmetries are found, finished parts are kept, bad data are refused."""

import json

import numpy as np
import pytest
import torch

import learnsym as ls
from learnsym.cli import main
from learnsym.degrees import read_degrees
from learnsym.inference import Finding, InferenceConfig
from learnsym.report.inference import pieces, text_table
from learnsym.report.inference.page import headline

QUICK = InferenceConfig(examples=60, steps=1, task_steps=2, workers=1, only=["shear", "hue", "mirror_left_right"])
MIRRORS = InferenceConfig(examples=120, steps=30, workers=1, only=["mirror_left_right", "mirror_upside_down"])
TURNS = InferenceConfig(examples=400, steps=200, workers=1, only=["rotation", "half_turn"])


def arrows(n=120, size=14):
    """Arrows that point upwards, at any place: closed under left-right mirrors, and under no other move."""
    x, draw = torch.zeros(n, 1, size, size), torch.Generator().manual_seed(0)
    for i, shift in enumerate(torch.randint(-3, 4, (n,), generator=draw).tolist()):
        x[i, 0, 3:11, 6 + shift : 8 + shift] = 1.0
        x[i, 0, 3:6, 4 + shift : 10 + shift] = 1.0
    return x + 0.05 * torch.rand(x.shape, generator=draw) * (x > 0)


def test_planted_symmetries_are_found_and_none_else():
    inference = ls.infer(arrows(), config=MIRRORS)
    found = {name: inference.finding(name).status for name in MIRRORS.only}
    assert found == {"mirror_left_right": "full", "mirror_upside_down": "absent"}


@pytest.mark.slow
@pytest.mark.parametrize(("angle", "status"), [(0.0, "absent"), (60.0, "up to")], ids=["none", "some"])
def test_planted_turns_are_found(angle, status):
    upright = ls.data.Dataset(arrows(400), torch.zeros(400), "arrows")
    turned = ls.data.plant(upright, ls.data.PlantConfig(rotation=angle), seed=0)
    inference = ls.infer(turned.inputs, config=TURNS)
    assert inference.finding("rotation").status == status
    assert not inference.finding("half_turn").is_present


def test_a_page_a_table_and_degrees_are_written_and_kept_parts_are_used(tmp_path, monkeypatch):
    data = ls.data.blobs(60, size=12)
    first = ls.infer(data, out=tmp_path, config=QUICK, progress=False)
    page = first.page.read_text()
    assert "Which symmetries do these data have?" in page
    assert all(finding.words in page for finding in first.findings if finding.status != "does not fit")
    assert len(read_degrees(tmp_path / "symmetry.json")) == len(first.findings)
    assert "In training:" in text_table(first)
    monkeypatch.setattr(pieces, "law_of", None)
    second = ls.infer(data, out=tmp_path, config=QUICK, progress=False)
    assert second.findings == first.findings
    assert second.page.read_text() == page


def test_the_headline_names_what_is_there_without_intervals():
    shown = {"verb": "turn", "notion": "distribution"}
    turns = Finding(candidate="rotation", status="up to", words="up to 58° [41, 76]", **shown)
    mirrors = Finding(candidate="mirror_left_right", status="full", words="full, at most 6% told apart", **shown)
    assert headline([turns, mirrors]) == "These data show rotation (up to 58°), mirror left right (full)."


def test_an_unfinished_inference_goes_on_where_it_ended(tmp_path):
    data = ls.data.blobs(60, size=12)
    first = ls.infer(data, out=tmp_path, config=QUICK, progress=False)
    kept = tmp_path / "analysis" / "shear.json"
    content = json.loads(kept.read_text())
    kept.write_text(kept.read_text()[:50])
    assert ls.infer(data, out=tmp_path, config=QUICK, progress=False).findings == first.findings
    assert json.loads(kept.read_text()) == content


def test_arrays_and_clouds_enter(tmp_path):
    cloud = np.random.default_rng(0).normal(size=(40, 6, 3)).astype("float32")
    names = ["rotation_x", "mirror_x", "scale"]
    quick = InferenceConfig(examples=40, steps=1, task_steps=1, workers=1, only=names)
    inference = ls.infer(cloud, np.arange(40) % 2, config=quick, layout="cloud")
    assert {(f.candidate, f.notion) for f in inference.findings} == {
        (name, notion) for name in names for notion in ("distribution", "task")
    }


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (torch.rand(50, 4), None, r"x: got shape \(50, 4\), must be images"),
        (torch.rand(9, 1, 8, 8), None, "x: got 9 examples, must be 40 or more"),
        (torch.rand(50, 1, 8, 8), torch.zeros(3), "3 targets"),
    ],
)
def test_bad_data_are_refused_before_any_work(x, y, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        ls.infer(x, y, out=tmp_path / "out", config=QUICK)
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_table_and_where_the_page_is(tmp_path, capsys):
    words = "--examples 40 --steps 1 --task-steps 1 --workers 1 --size 8 --only mirror_left_right hue"
    assert main(["infer", "digits", "--out", str(tmp_path), *words.split()]) == 0
    said = capsys.readouterr().out
    assert "needs colour images" in said
    assert f"report: {tmp_path / 'report.html'}" in said
