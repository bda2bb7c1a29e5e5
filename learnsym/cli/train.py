"""learnsym train."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnsym._configs import config_path
from learnsym._keys import check_content, check_known, given, keys_in
from learnsym._sentences import check_once
from learnsym._yaml_file import read_yaml
from learnsym.cli._parser import EXECUTED, print_table
from learnsym.files import check_folder

if TYPE_CHECKING:
    from learnsym.training import Run

CONFIG = "YAML file with differences from the defaults, or a name of `learnsym config list`"
USAGE = "learnsym train CONFIG [--key.sub value ...] --out RUN"


def train_command(arguments: list[str]) -> int:
    path = _checked(arguments)
    from tqdm.contrib.logging import logging_redirect_tqdm

    from learnsym.training import train
    from learnsym.training.config_file import config_parser, file_arguments, names_in, parse, parser_of

    about = f"Train with learned symmetry; resumes when RUN exists. {EXECUTED}"
    texts = {"prog": "learnsym train", "usage": USAGE, "description": about}
    if path is None:
        parser, in_file = config_parser(names_in(arguments), **texts), []
    else:
        parser, in_file = parser_of(path, arguments, **texts), file_arguments(path, arguments)
    parser.add_argument("config", help=CONFIG)
    parser.add_argument("--out", required=True, help="run folder")
    config, values = parse(parser, [*in_file, *arguments])
    with logging_redirect_tqdm():
        runs = train(config, values["out"])
    if int(os.environ.get("RANK", "0")) == 0:
        print_table(["run", "test"], [[str(run.path), _test_scores(run)] for run in runs])
    return 0


def _checked(arguments: Sequence[str]) -> Path | None:
    """The file of the configuration, where one is named; most of what is wrong is said before torch is imported."""
    check_known(keys_in(arguments))
    word, out = positional(arguments), given("out", arguments)
    from learnsym._values import check_new_run, check_run_values

    path, content = (None, {}) if word is None else checked_config(word, arguments)
    if path is None:
        check_run_values({}, arguments)
    if {"help", "print_config"} & set(keys_in(arguments)) or "-h" in arguments:
        return path
    missing = [name for name, value in (("config", word), ("out", out)) if value is None]
    if missing:
        raise ValueError(f"the following arguments are required: {', '.join(missing)}")
    check_new_run(content, arguments, check_folder(str(out)))
    return path


def checked_config(word: str, arguments: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    """The file of a configuration and what it holds; what is not read, unknown keys and wrong values are refused."""
    from learnsym._values import check_run_values

    path = config_path(word)
    content = read_yaml(path, "config")
    known = content if isinstance(content, dict) else {}
    check_content(known)
    check_once(arguments)
    check_run_values(known, arguments)
    return path, known


def positional(arguments: Sequence[str]) -> str | None:
    """The first word that is neither an option nor the value of one: every option but `--help` takes one value."""
    before = ""
    for word in arguments:
        takes_value = before.startswith("--") and "=" not in before and before != "--help"
        if not word.startswith("-") and not takes_value:
            return word
        before = word
    return None


def _test_scores(run: Run) -> str:
    record = next(record for record in reversed(run.metrics()) if record["split"] == "test")
    return ", ".join(f"{key} {value:.4g}" for key, value in record.items() if isinstance(value, float))
