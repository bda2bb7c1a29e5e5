"""learnsym scale."""

from __future__ import annotations

import argparse
from pathlib import Path

from learnsym._found import table_file


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    scale = commands.add_parser("scale", help="laws of loss of a comparison: scaling.json, scaling.html")
    scale.add_argument("folder", type=Path, help="folder of learnsym compare, with table.parquet")
    scale.add_argument("--loss", default="test", choices=("test", "val"), help="which loss the law is of")
    scale.add_argument(
        "--flops", default="counted", choices=("counted", "nominal"), help="of figures and sentences; the JSON has both"
    )
    scale.add_argument(
        "--irreducible", default="auto", choices=("auto", "yes", "no"), help="whether they use the law with E"
    )
    scale.add_argument("--level", type=float, default=0.9, help="of intervals")
    scale.add_argument("--replicates", type=int, default=200, help="resamples of cells")
    scale.add_argument("--seed", type=int, default=0, help="of the resampling")
    scale.add_argument("--unfinished", action="store_true", help="take a comparison of which cells are left to train")
    scale.set_defaults(call=_scale)


def _scale(options: argparse.Namespace) -> int:
    table_file(options.folder)
    from learnsym.report.scaling import draw_scaling, problem_rows, text_table, verdicts
    from learnsym.scaling import StudySettings

    names = ("loss", "flops", "irreducible", "level", "replicates", "seed")
    settings = StudySettings(**{name: getattr(options, name) for name in names})
    study = draw_scaling(options.folder, settings, options.unfinished)
    print(text_table(study), end="\n\n")
    for verdict in verdicts(study):
        print(f"{verdict.headline}. {verdict.detail}")
    for note in (*study.notes, *problem_rows(study)):
        print(f"note: {note}")
    print(f"page: {options.folder / 'scaling.html'}")
    return 0
