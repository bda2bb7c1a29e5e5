"""learnsym data."""

from __future__ import annotations

import argparse

from learnsym._kinds import NAMES
from learnsym._places import check_known, check_source
from learnsym.cli._data_options import SOURCE, add_data_options, data_options
from learnsym.cli._parser import folder, print_table, whole


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    data = commands.add_parser("data", help="list, fetch or verify data sets; describe any data")
    actions = data.add_subparsers(title="actions", metavar="ACTION", required=True)
    actions.add_parser("list", help="all data sets").set_defaults(call=_data_list)
    fetch = actions.add_parser("fetch", help="download from the official source and check")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(call=_data_fetch)
    verify = actions.add_parser("verify", help="check the files that are there")
    verify.add_argument("name", metavar="NAME")
    verify.set_defaults(call=_data_verify)
    describe = actions.add_parser("describe", help="shapes, ranges, classes, splits, and what is odd")
    describe.add_argument("source", metavar="SOURCE", help=SOURCE)
    describe.add_argument("--out", type=folder, help="folder for a sheet of examples, sheet.png")
    sizes = {
        "size": whole(4, 16384),
        **dict.fromkeys(("train", "val", "test"), whole(1, 10**9)),
        "seed": whole(0, 2**32 - 1),
    }
    for key, kind in sizes.items():
        describe.add_argument(f"--data.{key}", dest=f"data_{key}", type=kind, help=f"as data.{key} of a configuration")
    add_data_options(describe)
    describe.set_defaults(call=_data_describe)


def _data_list(options: argparse.Namespace) -> int:
    from learnsym.data import catalogue

    rows = [
        [e.name, e.title, e.licence, f"{e.bytes / 1e6:.1f} MB" if e.bytes else "none", "yes" if e.present else "no"]
        for e in catalogue()
    ]
    print_table(["name", "data", "licence", "download", "present"], rows)
    return 0


def _data_fetch(options: argparse.Namespace) -> int:
    check_known(options.name, NAMES["data"])
    from learnsym.data import fetch

    paths = fetch(options.name)
    print("\n".join(map(str, paths)) or f"{options.name} needs no files")
    return 0


def _data_verify(options: argparse.Namespace) -> int:
    check_known(options.name, NAMES["data"])
    from learnsym.data import verify

    paths = verify(options.name)
    print("\n".join(f"{path}: good" for path in paths) or f"{options.name} needs no files")
    return 0


def _data_describe(options: argparse.Namespace) -> int:
    check_source(options.source)
    from learnsym.data import describe

    counts = {key: getattr(options, f"data_{key}") for key in ("size", "train", "val", "test", "seed")}
    keys = {key: value for key, value in counts.items() if value is not None}
    description = describe(options.source, **keys, **data_options(options))
    print(description)
    if options.out is not None:
        print(f"sheet: {description.sheet(options.out / 'sheet.png')}")
    return 0
