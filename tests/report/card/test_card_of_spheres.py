"""The symmetry card of pictures of the sphere, from the command line: all rotations, or turns about the vertical."""

import json

import numpy as np
import pytest

from learnsym.cli import main

MODELS = """
import torch
from torch import nn

class OfHeights(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(x.mean((1, 3)))

class Bands(nn.Module):
    def forward(self, x):
        return torch.cat([x, x.roll(1, 2)], 1)
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "model.py").write_text(MODELS)
    random = np.random.default_rng(0)
    np.savez(tmp_path / "panoramas.npz", x=random.random((12, 1, 8, 16), dtype=np.float32), y=np.arange(12) % 3)
    return tmp_path


def errors(files, model, *symmetries):
    """Relative equivariance errors by symmetry."""
    words = [f"{files / 'model.py'}:{model}", "--data", files / "panoramas.npz", "--symmetry", *symmetries]
    fast = ["--no-layers", "--samples", 3, "--out", files / f"card-{model}"]
    assert main(["measure", *map(str, [*words, *fast])]) == 0
    content = json.loads((files / f"card-{model}" / "card.json").read_text())
    rows = (row for row in content["rows"] if row["measure"] == "equivariance error")
    return {row["symmetry"]: row["relative"] for row in rows}


def test_means_along_circles_of_latitude_know_the_vertical_alone(files, capsys):
    found = errors(files, "OfHeights", "sphere", "sphere_vertical")
    assert found["sphere_vertical"] < 1e-5 < 0.05 < found["sphere"]
    assert "(3,) are taken to stay" in capsys.readouterr().out


def test_pictures_that_come_out_turn_on_the_sphere(files, capsys):
    found = errors(files, "Bands", "sphere", "sphere_vertical")
    assert found["sphere_vertical"] < 1e-5 < 0.05 < found["sphere"]
    assert "(2, 8, 16) are taken to move as images" in capsys.readouterr().out


def test_pictures_that_do_not_close_are_refused(files, capsys):
    np.savez(files / "panoramas.npz", x=np.random.default_rng(0).random((4, 1, 8, 15), dtype=np.float32))
    words = ["--data", files / "panoramas.npz", "--symmetry", "sphere", "--out", files / "card"]
    assert main(["measure", f"{files / 'model.py'}:Bands", *map(str, words)]) == 2
    assert "even number of columns" in capsys.readouterr().err
