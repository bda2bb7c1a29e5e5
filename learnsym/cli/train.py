"""learnsym train."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from learnsym.cli._parser import print_table

if TYPE_CHECKING:
    from learnsym.training import Run

USAGE = "learnsym train CONFIG.yaml [--key.sub value ...] --out RUN"


def train_command(arguments: list[str]) -> int:
    from tqdm.contrib.logging import logging_redirect_tqdm

    from learnsym.training import train
    from learnsym.training.config_file import config_parser, file_arguments, instantiated, parse

    about = "Train with learned symmetry; resumes when RUN exists."
    parser = config_parser(prog="learnsym train", usage=USAGE, description=about)
    parser.add_argument("config", help="YAML file with differences from the defaults")
    parser.add_argument("--out", required=True, help="run folder")
    path = instantiated(parser, lambda: parser.parse_args(arguments))["config"]
    config, values = parse(parser, [*file_arguments(path), *arguments])
    with logging_redirect_tqdm():
        runs = train(config, values["out"])
    if int(os.environ.get("RANK", "0")) == 0:
        print_table(["run", "test"], [[str(run.path), _test_scores(run)] for run in runs])
    return 0


def _test_scores(run: Run) -> str:
    record = next(record for record in reversed(run.metrics()) if record["split"] == "test")
    return ", ".join(f"{key} {value:.4g}" for key, value in record.items() if isinstance(value, float))
