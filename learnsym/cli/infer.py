"""learnsym infer."""

from __future__ import annotations

import argparse

from learnsym._places import check_source
from learnsym.cli._data_options import SOURCE, add_data_options, data_options
from learnsym.cli._parser import EXECUTED, amount, folder, share, whole


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    infer = commands.add_parser(
        "infer",
        help="which symmetries do these data have, without a network or a config: report.html, symmetry.json",
        epilog=EXECUTED,
    )
    most = 10**6
    infer.add_argument("source", metavar="SOURCE", help=SOURCE)
    infer.add_argument("--out", type=folder, required=True, help="folder for the page; resumes what is there")
    infer.add_argument("--only", nargs="+", metavar="CANDIDATE", help="such as rotation; all that fit")
    infer.add_argument("--examples", type=whole(40, most), help="examples that are taken, at random (4000)")
    infer.add_argument("--steps", type=whole(1, most), help="training steps of each network that reads poses (300)")
    infer.add_argument("--task-steps", type=whole(1, most), help="training steps of the network for labels (1500)")
    infer.add_argument("--level", type=share, help="probability with which all verdicts hold together (0.9)")
    infer.add_argument("--seed", type=whole(0, 2**32 - 1), help="of examples, folds and networks (0)")
    infer.add_argument("--workers", type=whole(1, 1024), help="processes side by side, of one thread each (2)")
    infer.add_argument("--memory", type=amount, metavar="4G", help="limit beside the examples: 512M, 4G (4G)")
    infer.add_argument("--device", help="such as cuda (cpu)")
    infer.add_argument("--size", type=whole(4, 16384), help="shorter side of images: padded or scaled down")
    add_data_options(infer)
    infer.set_defaults(call=_infer)


def _infer(options: argparse.Namespace) -> int:
    check_source(options.source)
    from learnsym.data import DataConfig
    from learnsym.inference import InferenceConfig
    from learnsym.report.inference import infer_source, text_table

    names = ("only", "examples", "steps", "task_steps", "level", "seed", "workers", "memory", "device")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    data = DataConfig(name=options.source, size=options.size, **data_options(options))  # type: ignore[arg-type]
    found = infer_source(data, options.out, InferenceConfig(**given))
    print(text_table(found))
    print(f"report: {found.page}")
    return 0
