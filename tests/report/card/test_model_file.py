"""Models from files of other people: what may stand in them, and what is refused."""

import pickle

import pytest
import torch
from torch import nn

from learnsym.report.card import load_subject

BEGIN = (
    "from __future__ import annotations\nfrom dataclasses import dataclass, field\nimport torch\nfrom torch import nn\n"
)


@pytest.fixture
def written(tmp_path):
    """Writes files, and gives the path of the first."""

    def write(*texts, name="model.py", folder=""):
        (tmp_path / folder).mkdir(exist_ok=True)
        names = [name, "helper.py"]
        for text, file in zip(texts, names, strict=False):
            (tmp_path / folder / file).write_text(BEGIN + text)
        return tmp_path / folder / name

    return write


@pytest.mark.parametrize(
    "text",
    [
        "def make():\n    return nn.Linear(3, 2)\n",
        "make = lambda: nn.Linear(3, 2)\n",
        "make = nn.Linear(3, 2)\n",
        "def make(out=2):\n    return nn.Linear(3, out)\n",
        "from functools import partial\nmake = partial(nn.Linear, 3, 2)\n",
        "class make(nn.Linear):\n    def __init__(self, out=2):\n        super().__init__(3, out)\n",
        "@dataclass\nclass C:\n    sizes: list[int] = field(default_factory=lambda: [3, 2])\n\n"
        "def make():\n    return nn.Linear(*C().sizes)\n",
        "def make():\n    return torch.jit.trace(nn.Linear(3, 2), torch.zeros(1, 3))\n",
    ],
    ids=["function", "lambda", "module", "default", "partial", "class", "dataclass", "traced"],
)
def test_what_stands_for_a_model(written, text):
    model = load_subject(f"{written(text)}:make").model
    assert isinstance(model, nn.Module) and model(torch.zeros(1, 3)).shape == (1, 2)


@pytest.mark.parametrize(
    "line", ["from .helper import Net", "from helper import Net", "from . import helper\nNet = helper.Net"]
)
def test_files_beside_it_are_imported(written, line):
    path = written(line + "\ndef make():\n    return Net(3, 2)\n", "Net = nn.Linear\n")
    assert isinstance(load_subject(f"{path}:make").model, nn.Linear)


def test_files_beside_it_are_imported_when_the_factory_runs(written):
    path = written("def make():\n    from helper import Net\n    return Net(3, 2)\n", "Net = nn.Linear\n")
    assert isinstance(load_subject(f"{path}:make").model, nn.Linear)


@pytest.mark.parametrize("dot", [".", ""])
def test_two_folders_with_the_same_names(written, dot):
    text = f"from {dot}helper import OUT\ndef make():\n    return nn.Linear(3, OUT)\n"
    paths = [written(text, f"OUT = {out}\n", folder=f"f{out}") for out in (4, 5)]
    assert [load_subject(f"{path}:make").model.out_features for path in paths] == [4, 5]


def test_a_file_that_has_changed_is_read_again(written):
    sizes = []
    for out in (4, 15):
        sizes.append(load_subject(f"{written(f'make = nn.Linear(3, {out})')}:make").model.out_features)
    assert sizes == [4, 15]


def test_classes_of_a_file_can_be_pickled(written):
    path = written("class Net(nn.Linear):\n    pass\n\ndef make():\n    return Net(3, 2)\n", name="my-model.v2.py")
    model = load_subject(f"{path}:make").model
    assert type(pickle.loads(pickle.dumps(model))) is type(model)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def make(width, depth): ...\n", "make of model.py takes width, depth, must take no arguments"),
        ("make = nn.Linear\n", "make of model.py takes in_features, out_features, must take no arguments"),
        ("def make():\n    return {}['a']\n", "raises KeyError: 'a'"),
        ("def make():\n    raise SystemExit(0)\n", "raises SystemExit: 0"),
        ("def make():\n    return nn.Linear\n", "returns a type, must be a torch.nn.Module"),
        ("def make():\n    return 3\n", "returns a int, must be a torch.nn.Module"),
        ("make = 3\n", "has no function 'make'"),
        ("def make(:\n", "cannot be executed .SyntaxError"),
        ("import sys\nsys.exit(0)\n", "cannot be executed .SystemExit"),
        ("import nothing_of_that_name\n", "cannot be executed .ModuleNotFoundError: No module named"),
        ("def make():\n    return nn.Linear(3, 2, device='meta')\n", "cannot be put on cpu"),
    ],
)
def test_what_stands_for_no_model_is_refused(written, text, message):
    with pytest.raises(ValueError, match=message):
        load_subject(f"{written(text)}:make")


def test_programs(tmp_path):
    program = torch.export.export(nn.Linear(3, 2), (torch.zeros(2, 3),))
    torch.export.save(program, tmp_path / "m.pt2")
    assert load_subject(str(tmp_path / "m.pt2")).model(torch.zeros(2, 3)).shape == (2, 2)
    (tmp_path / "n.pt2").write_bytes(b"none")
    with pytest.raises(ValueError, match=r"n.pt2 is no file of torch.export"):
        load_subject(str(tmp_path / "n.pt2"))


def test_published_weights_belong_to_timm(written):
    with pytest.raises(ValueError, match="only timm:NAME has published weights"):
        load_subject(f"{written('make = nn.Linear(3, 2)')}:make", pretrained=True)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", "cpu:x"])
def test_devices_that_are_not_there_are_refused(written, device):
    with pytest.raises(ValueError, match=f"device: got '{device}', which cannot be used here"):
        load_subject(f"{written('make = nn.Linear(3, 2)')}:make", device=device)
