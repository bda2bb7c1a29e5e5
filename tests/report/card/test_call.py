"""`ls.measure.card`, and the card as Markdown."""

from __future__ import annotations

import jaxtyping
import pytest
import torch
import yaml
from known import Sectors, sectors
from torch.utils.data import DataLoader, TensorDataset

import learnsym as ls
from learnsym.report import card
from learnsym.report.card import measuring

X, Y = sectors(32)
OF_TORCH = TensorDataset(X, Y)
DATASET = ls.data.Dataset(X, Y, "spots", classes=8)
QUICK = card.CardSettings(samples=2, layers=False)


def total(x):
    return torch.stack([x.sum((1, 2, 3)), x.square().sum((1, 2, 3))], 1)


@pytest.fixture(scope="module")
def found():
    return ls.measure.card(Sectors(), (X.double().numpy(), Y.numpy()), ["rotation2d", "flip2d"], settings=QUICK)


def test_a_card_shows_itself(found):
    assert repr(found).startswith("Accuracy 100.0%") and "Invariant to turns up to" in repr(found)
    assert found._repr_html_().startswith("<iframe srcdoc=") and found.page.is_file()
    assert found.model == "Sectors" and found.symmetries == ("rotation2d", "flip2d")


@pytest.mark.parametrize(
    "data",
    [
        X,
        X.numpy(),
        (X, Y),
        DATASET,
        card.Examples(name="spots", x=X),
        OF_TORCH,
        DataLoader(OF_TORCH, batch_size=5),
    ],
    ids=["tensor", "array", "pair", "data set", "examples", "of torch", "loader"],
)
def test_data_of_any_kind(data, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "write_page", lambda card: None)
    settings = card.CardSettings(samples=2, layers=False, examples=20)
    measured = ls.measure.card(total, data, "flip2d", out=tmp_path, settings=settings)
    assert measured.examples == 20 and measured.model == "total" and measured.folder == tmp_path
    assert measured.is_exact("flip2d")


def test_what_cannot_be_measured_is_refused(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match="model: got a int"):
        ls.measure.card(3, X, "flip2d")
    with pytest.raises(ValueError, match="data: got a int, must be tensors or arrays"):
        ls.measure.card(total, 3, "flip2d")
    with pytest.raises(ValueError, match="moves: got 'image' for inputs of one tensor; leave it out"):
        ls.measure.card(total, (X, Y), "flip2d", moves="image")
    with pytest.raises(ValueError, match=r"data\.moves: got 'picture', but there is a dict with keys image, side"):
        ls.measure.card(total, {"image": X, "side": X}, "flip2d", moves="picture")
    examples = card.Examples(name="spots", x={"image": X, "side": X})
    with pytest.raises(ValueError, match="moves: got 'side', and examples of which 'image' moves"):
        ls.measure.card(total, examples, "flip2d", moves="side")


def test_markdown_has_a_front_matter(found):
    text = card.write_markdown(found).read_text(encoding="utf8")
    _, front, body = text.split("---\n", 2)
    content = yaml.safe_load(front)
    assert "equivariance" in content["tags"] and "accuracy" in content["metrics"]
    (model,) = content["model-index"]
    assert {"type": "accuracy", "name": "accuracy", "value": 1.0} in model["results"][0]["metrics"]
    assert "- Accuracy 100.0%" in body and "| rotation2d | symmetric up to | rotation |" in body
    assert all(line.count("|") >= 6 for line in body.splitlines() if line.startswith("|"))
