"""learnsym claims."""

from __future__ import annotations

import argparse
from pathlib import Path

from learnsym._found import claim_files


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    claims = commands.add_parser(
        "claims", help="which claims of papers do the experiments reproduce? a table, or one page"
    )
    claims.add_argument(
        "folder", nargs="?", type=Path, default=Path("experiments"), help="of experiments, each with a claims.yaml"
    )
    claims.add_argument("--out", type=Path, metavar="PAGE.html", help="write one self-contained page instead")
    claims.set_defaults(call=_claims)


def _claims(options: argparse.Namespace) -> int:
    if options.out is not None and options.out.suffix not in (".html", ".htm"):
        raise ValueError(f"out: got {options.out}, must end in .html; give such as --out claims.html")
    claim_files(options.folder)
    from learnsym.report.claims import read_claims, summary, text_table, write_page

    claims = read_claims(options.folder)
    if options.out is None:
        print(text_table(claims))
        return 0
    write_page(claims, options.out)
    print(summary(claims))
    print(f"report: {options.out}")
    return 0
