"""learnsym analyze."""

from __future__ import annotations

import argparse
from pathlib import Path

from learnsym._found import check_runs
from learnsym.cli._parser import EXECUTED, amount


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    analyze = commands.add_parser(
        "analyze",
        help="infer, measure, draw: report.html, figures/, symmetry.json",
        epilog="Settings of the analysis may follow, such as --analysis.angle_step 30, instead of those of the run; "
        f"the keys are those of learnsym train --help. {EXECUTED}",
        allow_abbrev=False,
    )
    analyze.add_argument("run", type=Path, help="run folder, or a folder that holds runs")
    analyze.add_argument("--unfinished", action="store_true", help="take runs that are not trained to their end")
    analyze.add_argument(
        "--memory", type=amount, metavar="4G", help="instead of analysis.memory: limit beside the examples, 512M or 4G"
    )
    analyze.set_defaults(call=_analyze, overrides=[])


def _analyze(options: argparse.Namespace) -> int:
    check_runs(options.run)
    from learnsym.report import analyze, text_table

    asked = [] if options.memory is None else ["--analysis.memory", str(options.memory)]
    analysis = analyze(options.run, overrides=[*options.overrides, *asked], unfinished=options.unfinished)
    print(text_table(analysis))
    print(f"report: {analysis.report}")
    return 0
