"""Configurations that come with the package: their names, what is said of them, and files that win over them."""

from __future__ import annotations

import logging

import pytest

from learnsym import _configs
from learnsym.cli import main


def test_each_has_a_line_that_says_what_it_is():
    assert _configs.packed()
    assert not [name for name, path in _configs.packed().items() if len(_configs.description(path)) < 20]


def test_the_list_says_which_command_takes_which(capsys):
    assert main(["config", "list"]) == 0
    commands = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines())
    assert (commands["demo"], commands["compare/digits"], commands["tune/digits"]) == ("train", "compare", "tune")
    assert "tune/digits.space" not in commands


def test_one_is_shown_as_it_lies_in_its_file(capsys):
    assert main(["config", "show", "demo"]) == 0
    assert capsys.readouterr().out == _configs.packed()["demo"].read_text(encoding="utf8")


def test_a_name_stands_for_the_packed_file_which_is_said(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO, "learnsym"):
        assert _configs.config_path("demo") == _configs.packed()["demo"]
    assert "demo comes with learnsym" in caplog.text


def test_a_file_of_that_name_wins(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").write_text("seeds: [3]\n")
    with caplog.at_level(logging.INFO, "learnsym"):
        assert _configs.config_path("demo").read_text() == "seeds: [3]\n"
    assert not caplog.text


@pytest.mark.parametrize(
    ("name", "guesses"),
    [
        ("dmo", "demo"),
        ("configs/demo.yaml", "demo"),
        ("mine/digits.yaml", "compare/digits, relax/digits, tune/digits"),
        ("comapre/mnist", "compare/mnist"),
    ],
)
def test_an_unknown_name_comes_with_those_that_look_like_it(tmp_path, monkeypatch, name, guesses):
    monkeypatch.chdir(tmp_path)
    for known in (_configs.named, _configs.config_path):
        with pytest.raises(ValueError, match="one of `learnsym config list`, such as .*" + guesses.split(", ")[0]):
            known(name)


def test_a_name_like_no_other_comes_without_a_guess():
    with pytest.raises(ValueError, match=r"name a YAML file or one of `learnsym config list`$"):
        _configs.config_path("zzzz")
