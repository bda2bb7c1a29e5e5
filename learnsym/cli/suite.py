"""learnsym suite."""

from __future__ import annotations

import argparse

from learnsym.cli._parser import folder, share, whole


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    suite = commands.add_parser(
        "suite",
        help="how right are methods and choosers about tasks whose symmetry is known? suite.json, report.html",
    )
    suite.add_argument("--out", type=folder, required=True, help="folder of the suite; resumes what is there")
    suite.add_argument("--size", choices=("smoke", "small", "full"), help="a minute, an hour of a CPU, a GPU (smoke)")
    suite.add_argument("--only", nargs="+", metavar="NAME", help="names of tasks, families or domains")
    suite.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="poses, closure, axis, extent, or a method that is trained"
    )
    suite.add_argument("--choosers", nargs="+", metavar="CHOOSER", help="choosers of the methods (all that they have)")
    suite.add_argument("--half", choices=("both", "calibrate", "judge"), help="half of the tasks (both)")
    suite.add_argument("--seeds", nargs="+", type=whole(0, 2**32 - 1), help="of examples, weights and batches")
    suite.add_argument("--level", type=share, help="coverage that intervals aim at (0.9)")
    suite.add_argument("--workers", type=whole(1, 1024), help="processes side by side, of one thread each (1)")
    suite.add_argument("--device", help="such as cuda (cpu)")
    suite.set_defaults(call=_suite)


def _suite(options: argparse.Namespace) -> int:
    from learnsym.suite import SuiteConfig, run, text_table

    names = ("size", "only", "methods", "choosers", "half", "seeds", "level", "workers", "device")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    suite = run(SuiteConfig(**given), options.out)
    print(text_table(suite))
    print(f"report: {suite.page}")
    return 0
