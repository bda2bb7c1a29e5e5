"""learnsym config."""

from __future__ import annotations

import argparse

from learnsym._configs import command_of, description, named, packed
from learnsym.cli._parser import print_table


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    config = commands.add_parser("config", help="list or show the configurations that come with learnsym")
    actions = config.add_subparsers(title="actions", metavar="ACTION", required=True)
    actions.add_parser("list", help="names, the command that takes each, and what it is").set_defaults(call=_list)
    show = actions.add_parser("show", help="print one as YAML, such as demo; save it and change what you like")
    show.add_argument("name", help="one of learnsym config list")
    show.set_defaults(call=_show)


def _list(options: argparse.Namespace) -> int:
    rows = [(name, command, description(path)) for name, path in packed().items() if (command := command_of(path))]
    print_table(["name", "command", "what it is"], rows)
    return 0


def _show(options: argparse.Namespace) -> int:
    print(named(options.name).read_text(encoding="utf8"), end="")
    return 0
