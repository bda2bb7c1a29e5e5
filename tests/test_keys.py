"""Keys of configurations: the list of them, and what is refused without waiting for torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from learnsym import _keys
from learnsym.training.config_file import all_keys

WITHOUT_TORCH = """
import sys
from learnsym.cli import main
code = main(sys.argv[1:])
print(code, "torch" in sys.modules)
"""


def test_the_list_is_that_of_the_registries():
    assert sorted(_keys.known()) == all_keys(), "write it anew: python scripts/write_tables.py"


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("net.widht", "net.width"),
        ("nett.width", "net.width"),
        ("data.plant.rotatoin", "data.plant.rotation"),
        ("seedz", "seeds"),
    ],
)
def test_a_mistyped_key_is_told_from_the_one_that_was_meant(key, meant):
    with pytest.raises(ValueError, match=f"^{key}: unknown key; did you mean {meant}\\? see --help$"):
        _keys.check_known([key])


def test_a_key_like_no_other_comes_without_a_guess():
    with pytest.raises(ValueError, match=r"^abacus\.q: unknown key; see --help$"):
        _keys.check_known(["abacus.q"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["train", "configs/demo.yaml", "--net.widht", "8", "--out", "x"], 2),
        (["tune", "configs/demo.yaml", "--study", "x", "--trials", "2", "--net.widht", "8"], 2),
        (["config", "list"], 0),
        (["config", "show", "demo"], 0),
        (["train", "nothing-like-it", "--out", "x"], 2),
        (["compare", "configs/compare/digits.yaml", "--sedes", "3", "--out", "x"], 2),
        (["scale", "no-folder"], 2),
        (["analyze", "no-folder"], 2),
        (["claims", "no-folder"], 2),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_needs_no_torch_does_not_import_it(arguments, code):
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == f"{code} False"


def test_help_needs_no_torch():
    command = [sys.executable, "-X", "importtime", "-m", "learnsym", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "usage: learnsym" in done.stdout
    assert "| torch\n" not in done.stderr
