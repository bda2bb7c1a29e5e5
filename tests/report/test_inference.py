"""`ls.infer` from data to page: planted symmetries are found, finished parts are kept, bad data are refused."""

import json

import numpy as np
import pytest
import torch

import learnsym as ls
from learnsym.degrees import read_degrees
from learnsym.inference import InferenceConfig
from learnsym.report.inference import pieces, text_table

QUICK = InferenceConfig(
    examples=60, steps=1, task_steps=2, workers=1, only=["rotation", "shear", "hue", "mirror_left_right"]
)
ARROWS = InferenceConfig(
    examples=200, steps=80, workers=1, only=["rotation", "mirror_left_right", "mirror_upside_down"]
)


def arrows(n=200, size=14):
    """Arrows that point upwards, at any place: closed under left-right mirrors, and under no other move."""
    x, draw = torch.zeros(n, 1, size, size), torch.Generator().manual_seed(0)
    for i in range(n):
        x[i, 0, 3:11, 6:8] = 1.0
        x[i, 0, 3:6, 4:10] = 1.0
    return x + 0.05 * torch.rand(x.shape, generator=draw) * (x > 0)


def test_planted_symmetries_are_found_and_none_else():
    inference = ls.infer(arrows(), config=ARROWS)
    found = {name: inference.finding(name).status for name in ARROWS.only}
    assert found == {"rotation": "absent", "mirror_left_right": "full", "mirror_upside_down": "absent"}


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
    quick = InferenceConfig(examples=40, steps=1, task_steps=1, workers=1)
    inference = ls.infer(cloud, np.arange(40) % 2, config=quick, layout="cloud")
    assert {"rotation_x", "rotation", "mirror_x", "scale"} <= {f.candidate for f in inference.findings}


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
