"""Keys of configurations: the list of them, and what is refused without waiting for torch."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest
from jsonargparse import ArgumentParser

from learnsym import _keys, _kinds
from learnsym._settings import kinds_of
from learnsym._values import YAML, check_run_values, check_values
from learnsym.comparison.config_file import comparison_kinds
from learnsym.data import registry as data
from learnsym.methods import registry as methods
from learnsym.training.config import RunConfig
from learnsym.training.config_file import CHOSEN, all_kinds, config_of, instantiated

WITHOUT_TORCH = """
import sys
from learnsym.cli import main
code = main(sys.argv[1:])
print(code, "torch" in sys.modules)
"""


WRONG = ("3.5", "[]", "[abc]", "null", "{a: 1}", "1e400", "true", "")
"""Values that few keys take."""


def test_the_list_is_that_of_the_registries():
    anew = "write it anew: python scripts/write_tables.py"
    assert all_kinds() == _kinds.KINDS, anew
    assert comparison_kinds() == _kinds.COMPARISON, anew
    names = {**{section: tuple(kinds) for section, kinds in CHOSEN.items()}, "data": tuple(data)}
    assert names == _kinds.NAMES, anew


def _said(check, *given):
    """What is refused, None where nothing is."""
    try:
        check(*given)
    except ValueError as error:
        return str(error)
    return None


def _class_with(key):
    """The settings that have a key: of a section, or of the first method or chooser that knows it."""
    section, _, name = key.partition(".")
    if section not in CHOSEN:
        return kinds_of(RunConfig)[section]
    return next(kind for kind in CHOSEN[section].values() if name in kind.__dataclass_fields__)


@pytest.mark.parametrize("section", ["train", "optimiser", "net", "data", "method", "chooser", "loss", "analysis"])
def test_what_is_refused_at_once_is_refused_later_in_the_same_words(section):
    """The settings themselves would say no other sentence, whatever the key and the wrong value."""
    keys = [key for key, kind in _kinds.KINDS.items() if kind is not None and key.partition(".")[0] == section]
    early = 0
    for number, key in enumerate(keys):
        parser = ArgumentParser(exit_on_error=False, parser_mode=YAML)
        parser.add_class_arguments(_class_with(key), section)
        for value in ("abc", "-3", WRONG[number % len(WRONG)]):
            word = f"--{key}={value}"
            if (said := _said(check_run_values, {}, [word])) is not None:
                early += 1
                assert said == _said(instantiated, parser, partial(parser.parse_args, [word])), word
    assert early > len(keys)


@pytest.mark.parametrize(
    "content",
    [
        {"train": {"steps": "abc"}},
        {"train": {"steps": -3}},
        {"net": {"norm": "layer"}},
        {"data": {"plant": {"rotation": 200}}},
        {"seeds": [0, "a"]},
        {"method": {"name": "nothing"}},
        {"data": {"name": "digitz"}},
        {"optimiser": {"clip": 0}},
    ],
    ids=str,
)
def test_values_of_files_are_refused_in_the_same_words(content):
    said = _said(check_run_values, content)
    assert said is not None
    assert said == _said(config_of, content)


def test_settings_of_another_name_than_the_command_line_has_are_not_looked_at():
    content = {"method": {"name": "augerino", "copies": "many"}}
    with pytest.raises(ValueError, match=r"^method\.copies: got many"):
        check_run_values(content)
    check_run_values(content, ["--method.name", "remul"])


def test_good_values_pass():
    for name in methods:
        check_run_values({"method": {"name": name}, "seeds": [0, 1]}, ["--train.steps", "3", "--net.norm=none"])
    check_values({"seeds": [0]}, ["--lrs", "[1e-3, 0.1]"], _kinds.COMPARISON)


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
        (["train", "configs/demo.yaml", "--train.steps", "abc", "--out", "x"], 2),
        (["train", "configs/demo.yaml", "--data.name", "missing.npz", "--out", "x"], 2),
        (["train", "configs/demo.yaml", "--net.name", "missing.py:make", "--out", "x"], 2),
        (["train", "configs/demo.yaml"], 2),
        (["tune", "configs/tune/digits.yaml", "--study", "x", "--trials", "2", "--seeds", "3"], 2),
        (["compare", "compare/digits", "--seeds", "abc", "--out", "x"], 2),
        (["compare", "compare/digits", "--base.train.steps", "abc", "--out", "x"], 2),
        (["infer", "missing.npz", "--out", "x"], 2),
        (["measure", "missing.py:f", "--data", "digits", "--symmetry", "rotation2d", "--out", "x"], 2),
        (["export", "no-run", "--out", "x"], 2),
        (["data", "describe", "nothing"], 2),
        (["data", "verify", "nothing"], 2),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "",
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
