"""learnsym data."""

from __future__ import annotations

import argparse

from learnsym.cli._parser import print_table


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    data = commands.add_parser("data", help="list, fetch or verify data sets")
    actions = data.add_subparsers(title="actions", metavar="ACTION", required=True)
    actions.add_parser("list", help="all data sets").set_defaults(call=_data_list)
    fetch = actions.add_parser("fetch", help="download from the official source and check")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(call=_data_fetch)
    verify = actions.add_parser("verify", help="check the files that are there")
    verify.add_argument("name", metavar="NAME")
    verify.set_defaults(call=_data_verify)


def _data_list(options: argparse.Namespace) -> int:
    from learnsym.data import catalogue

    rows = [
        [e.name, e.title, e.licence, f"{e.bytes / 1e6:.1f} MB" if e.bytes else "none", "yes" if e.present else "no"]
        for e in catalogue()
    ]
    print_table(["name", "data", "licence", "download", "present"], rows)
    return 0


def _data_fetch(options: argparse.Namespace) -> int:
    from learnsym.data import fetch

    paths = fetch(options.name)
    print("\n".join(map(str, paths)) or f"{options.name} needs no files")
    return 0


def _data_verify(options: argparse.Namespace) -> int:
    from learnsym.data import verify

    paths = verify(options.name)
    print("\n".join(f"{path}: good" for path in paths) or f"{options.name} needs no files")
    return 0
