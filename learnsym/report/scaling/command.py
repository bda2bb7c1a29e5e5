"""learnsym scale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from learnsym.report.scaling.page import draw_scaling
from learnsym.report.scaling.table import text_table
from learnsym.report.scaling.words import verdicts
from learnsym.scaling.settings import StudySettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("folder", type=Path, help="folder of learnsym compare, with table.parquet")
    parser.add_argument("--loss", default="test", choices=("test", "val"), help="which loss the law is of")
    parser.add_argument(
        "--flops", default="counted", choices=("counted", "nominal"), help="of figures and sentences; the JSON has both"
    )
    parser.add_argument(
        "--irreducible", default="auto", choices=("auto", "yes", "no"), help="whether they use the law with E"
    )
    parser.add_argument("--level", type=float, default=0.9, help="of intervals")
    parser.add_argument("--replicates", type=int, default=200, help="resamples of cells")
    parser.add_argument("--seed", type=int, default=0, help="of the resampling")


def run(options: argparse.Namespace) -> int:
    """Fit, write `scaling.json` and the page, and say what was found."""
    names = ("loss", "flops", "irreducible", "level", "replicates", "seed")
    study = draw_scaling(options.folder, StudySettings(**{name: getattr(options, name) for name in names}))
    lines = [text_table(study), "", *(f"{found.headline}. {found.detail}" for found in verdicts(study))]
    lines += [f"note: {note}" for note in study.notes]
    lines.append(f"page: {options.folder / 'scaling.html'}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
