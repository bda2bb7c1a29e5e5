"""learnsym infer."""

from __future__ import annotations

import argparse

from learnsym.cli._parser import folder, share, whole

SOURCE = """known name, or whatever else `learnsym train --data.name` takes, such as FILE.npz with x and y, or a folder of
images (FILE.py:function is executed: give none that you do not trust)"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    infer = commands.add_parser(
        "infer",
        help="which symmetries do these data have, without a network or a config: report.html, symmetry.json",
        epilog="Other settings of the data may follow, such as --data.size 32.",
        allow_abbrev=False,
    )
    most = 10**6
    infer.add_argument("source", metavar="SOURCE", help=SOURCE)
    infer.add_argument("--out", type=folder, required=True, help="folder for the page; resumes what is there")
    infer.add_argument("--examples", type=whole(40, most), help="examples that are taken, at random (4000)")
    infer.add_argument("--steps", type=whole(1, most), help="training steps of each network that reads poses (300)")
    infer.add_argument("--task-steps", type=whole(1, most), help="training steps of the network for labels (1500)")
    infer.add_argument("--level", type=share, help="probability with which all verdicts hold together (0.9)")
    infer.add_argument("--seed", type=whole(0, 2**32 - 1), help="of examples, folds and networks (0)")
    infer.add_argument("--workers", type=whole(1, 1024), help="processes side by side, of one thread each (2)")
    infer.add_argument("--device", help="such as cuda (cpu)")
    infer.set_defaults(call=_infer, overrides=[])


def _infer(options: argparse.Namespace) -> int:
    from learnsym.inference import InferenceConfig
    from learnsym.report.inference import infer_source, text_table

    names = ("examples", "steps", "task_steps", "level", "seed", "workers", "device")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    found = infer_source(options.source, options.out, InferenceConfig(**given), options.overrides)
    print(text_table(found))
    print(f"report: {found.page}")
    return 0
