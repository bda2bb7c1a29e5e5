"""learnsym export."""

from __future__ import annotations

import argparse
from pathlib import Path

from learnsym._found import check_run
from learnsym.cli._parser import EXECUTED


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    export = commands.add_parser(
        "export", help="plain torch program or ONNX, which runs without learnsym", epilog=EXECUTED
    )
    export.add_argument("run", type=Path, help="run folder")
    export.add_argument("--out", type=Path, required=True, help="file to write, such as model.pt2")
    export.add_argument("--onnx", action="store_true", help="write ONNX instead of a torch program")
    export.add_argument("--averaged", action="store_true", help="with averaging over transformed copies baked in")
    export.add_argument("--unfinished", action="store_true", help="take a run that is not trained to its end")
    export.set_defaults(call=_export)


def _export(options: argparse.Namespace) -> int:
    check_run(options.run)
    from learnsym.export import export_run
    from learnsym.training import Run
    from learnsym.training.unfinished import check_finished

    settings = {name: getattr(options, name) for name in ("onnx", "averaged", "unfinished")}
    print(export_run(options.run, options.out, **settings))
    for note in check_finished([Run(options.run)], options.unfinished):
        print(f"note: {note}")
    return 0
