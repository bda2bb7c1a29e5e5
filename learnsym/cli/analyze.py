"""learnsym analyze."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    analyze = commands.add_parser("analyze", help="infer, measure, draw: report.html, figures/, symmetry.json")
    analyze.add_argument("run", type=Path, help="run folder, or a folder that holds runs")
    analyze.add_argument(
        "overrides",
        nargs=argparse.REMAINDER,
        metavar="--analysis.KEY VALUE",
        help="settings of the analysis, instead of those of the run; the keys are those of learnsym train --help",
    )
    analyze.set_defaults(call=_analyze)


def _analyze(options: argparse.Namespace) -> int:
    from learnsym.report import analyze, text_table

    analysis = analyze(options.run, overrides=options.overrides)
    print(text_table(analysis))
    print(f"report: {analysis.report}")
    return 0
