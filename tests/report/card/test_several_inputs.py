"""Cards of models with several inputs and outputs: the same as those of the part that moves, alone."""

from __future__ import annotations

import logging

import pytest
import torch
from known import convolution, random_net, sectors
from torch import nn

import learnsym as ls
from learnsym.cli import main
from learnsym.files import write_atomically
from learnsym.report import card
from learnsym.report.card import call, measuring

X, Y = sectors(24)
SIDE = torch.rand(24, 3, generator=torch.Generator().manual_seed(0))
DICT, PAIR = {"side": SIDE, "image": X}, (SIDE, X)
SETTINGS = card.CardSettings(samples=2, layer_examples=4, examples=16)
NAMES = ["rotation2d", "flip2d"]


class Apart(nn.Module):
    """A network of images with a number beside each, which changes nothing; its output is one of several."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, side, image):
        return {"side": side, "logits": self.net(image)}


class Whole(Apart):
    """The same, of the examples as they are."""

    def forward(self, x):  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().forward(**x) if isinstance(x, dict) else super().forward(*x)


@pytest.fixture(autouse=True)
def no_page(monkeypatch):
    monkeypatch.setattr(measuring, "write_page", lambda card: None)


def measured(net, data, **options):
    return ls.measure.card(net, data, options.pop("names", NAMES), settings=SETTINGS, **options)


def numbers(found):
    """All that was measured, without the names of modules, which lie one level deeper in a twin."""
    rows = (*found.task, *found.rows)
    return [(row.symmetry, row.measure, row.generator, row.element) for row in rows], [row.value for row in rows]


@pytest.fixture(scope="module")
def alone():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "write_page", lambda card: None)
        return measured(random_net(), (X, Y))


@pytest.mark.parametrize(
    ("kind", "x", "moves"),
    [(Apart, DICT, "image"), (Whole, DICT, "image"), (Apart, PAIR, "1")],
    ids=["arguments by name", "a dict as it is", "arguments in order"],
)
def test_other_inputs_and_outputs_change_no_number(kind, x, moves, alone):
    found = measured(kind(random_net()), (x, Y), moves=moves, output="logits")
    (about, values), (expected, of_single) = numbers(found), numbers(alone)
    assert about == expected and values == pytest.approx(of_single, rel=1e-4, abs=1e-5)
    assert {"layer equivariance", "contribution to the local error"} <= {row.measure for row in found.rows}
    assert not any("not measured" in note for note in found.notes)
    assert any(note.startswith("Strided operations commute") for note in found.notes)


def test_loaders_and_arrays_of_several_inputs_are_read():
    pairs = [({"side": SIDE[i], "image": X[i]}, int(Y[i])) for i in range(len(X))]
    given = call.examples_of(torch.utils.data.DataLoader(pairs, batch_size=5), 16, moves="image")  # type: ignore[arg-type]
    arrays = {key: part.double().numpy() for key, part in DICT.items()}
    expected = call.examples_of((arrays, Y.numpy()), 16, moves="image")
    assert given.moves == "image" and len(given) == 16 and torch.equal(given.x["image"], expected.x["image"])
    assert torch.equal(given.x["side"], expected.x["side"]) and torch.equal(given.y, expected.y)


def test_what_moves_is_guessed_and_said():
    net = Whole(nn.Sequential(nn.Flatten(), nn.Linear(24 * 24, 8)))
    found = measured(net, ({"image": X, "side": SIDE}, Y), output="logits", names=["flip2d"])
    said = "data: symmetries move image, the first of the inputs image, side; data.moves names another."
    assert said in found.notes


def test_outputs_move_with_the_part_that_moves():
    net = Whole(convolution())
    found = measured(net, DICT, moves="image", output="logits", names=["quarter_turns2d"])
    assert found.moving == ("quarter_turns2d",)
    assert any("are taken to move as images" in note for note in found.notes)


def test_finished_steps_are_kept(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    how = {"moves": "image", "output": "logits", "out": tmp_path, "names": ["flip2d"]}
    first = measured(Apart(random_net()), (DICT, Y), **how)
    monkeypatch.setattr(measuring, "STEPS", dict.fromkeys(measuring.STEPS))  # none of which can run
    assert numbers(measured(Apart(random_net()), (DICT, Y), **how)) == numbers(first)
    assert "cannot be hashed" not in caplog.text
    changed = {**DICT, "side": SIDE + 1}
    assert any("it failed" in note for note in measured(Apart(random_net()), (changed, Y), **how).notes)


def test_two_models_of_several_inputs_are_compared(tmp_path):
    subjects = [call.subject_of(Apart(random_net(seed)), DICT) for seed in (0, 0)]
    output = card.output_named("logits")
    examples = call.examples_of((DICT, Y), 16, moves="image")
    pair = card.measure_pair(subjects, examples, ["flip2d"], tmp_path, SETTINGS, output=output)
    assert all(difference.value == 0 for difference in (*pair.task, *pair.differences))


@pytest.mark.parametrize(
    ("net", "x", "message"),
    [
        (
            Apart(random_net()),
            {"a": X, "image": X},
            r"forward takes 2 inputs \(side, image\), must take one; or one",
        ),
        (Whole(random_net()).double(), DICT, "its weights are float64 and x is float32"),
        (Whole(nn.Linear(7, 2)), DICT, r"cannot take inputs of shape side \(3,\), image \(1, 24, 24\)"),
        (Apart(random_net()), DICT, "returns a dict with keys side, logits, must be one tensor; name one with --out"),
    ],
)
def test_what_cannot_be_measured_is_refused(net, x, message):
    with pytest.raises(ValueError, match=message):
        measured(net, x, moves="image", names=["flip2d"])


OWN = """
import torch
from torch import nn

def data():
    g = torch.Generator().manual_seed(0)
    return {"side": torch.rand(20, 2, generator=g), "image": torch.rand(20, 3, 10, 10, generator=g)}, torch.arange(20)

class Net(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 2, 3)

    def forward(self, image, side):
        return {"logits": self.conv(image).mean((2, 3))}
"""


@pytest.mark.parametrize("size", [None, 6])
def test_from_the_command_line(tmp_path, monkeypatch, capsys, size):
    monkeypatch.chdir(tmp_path)
    write_atomically(tmp_path / "two.py", OWN.encode())
    words = "measure two.py:Net --data two.py:data --data.moves image --symmetry flip2d --output logits --out card"
    more = ["--no-layers", "--examples", "8", "--samples", "2", *([] if size is None else ["--size", str(size)])]
    assert main([*words.split(), *more]) == 0
    assert f"{size or 10}×{size or 10} pixels" in capsys.readouterr().out
