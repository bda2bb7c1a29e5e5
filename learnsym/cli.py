"""The command `learnsym`.

Exit codes: 0 done, 1 failed, 2 bad input (one sentence on standard error), 130 and 143 stopped by SIGINT and SIGTERM.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from learnsym.training import Run

USAGE = "learnsym train CONFIG.yaml [--key.sub value ...] --out RUN"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    main_process = int(os.environ.get("RANK", "0")) == 0
    logging.getLogger("learnsym").setLevel(logging.INFO if main_process else logging.ERROR)
    try:
        return _train(given[1:]) if given[:1] == ["train"] else _command(given)
    except BrokenPipeError:
        return 1
    except (ValueError, FileNotFoundError) as error:
        return _fail(2, error)
    except (OSError, ImportError, RuntimeError, FloatingPointError) as error:
        return _failure(error)
    except KeyboardInterrupt:
        return _fail(130, "interrupted")
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        return _fail(code, error)


def _fail(code: int, message: object) -> int:
    print(f"learnsym: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def _failure(error: Exception) -> int:
    """What went wrong with good input; an error that is not ours comes with its traceback."""
    if isinstance(error, RuntimeError) and type(error).__module__.split(".")[0] != "learnsym":
        logging.getLogger("learnsym").error("unexpected error", exc_info=error)
    if isinstance(error, OSError) and error.strerror:
        return _fail(1, f"{error.strerror} [{error.filename}]" if error.filename else error.strerror)
    return _fail(1, error)


def _train(arguments: list[str]) -> int:
    from tqdm.contrib.logging import logging_redirect_tqdm

    from learnsym.training import train
    from learnsym.training.config_file import config_parser, file_arguments, parse

    about = "Train with learned symmetry; resumes when RUN exists."
    parser = config_parser(prog="learnsym train", usage=USAGE, description=about)
    parser.add_argument("config", help="YAML file with differences from the defaults")
    parser.add_argument("--out", required=True, help="run folder")
    path = parse(parser, arguments)[1]["config"]
    config, values = parse(parser, [*file_arguments(path), *arguments])
    with logging_redirect_tqdm():
        runs = train(config, values["out"])
    if int(os.environ.get("RANK", "0")) == 0:
        _print_table(["run", "test"], [[str(run.path), _test_scores(run)] for run in runs])
    return 0


def _test_scores(run: Run) -> str:
    record = next(record for record in reversed(run.metrics()) if record["split"] == "test")
    return ", ".join(f"{key} {value:.4g}" for key, value in record.items() if isinstance(value, float))


def _command(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    return options.call(options)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="learnsym", description="Learn how much symmetry a data set has.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commands.add_parser("train", help="train with learned symmetry; resumes when RUN exists")
    analyze = commands.add_parser("analyze", help="infer, measure, draw: report.html, figures/, symmetry.json")
    analyze.add_argument("run", type=Path, help="run folder, or a folder that holds runs")
    analyze.add_argument(
        "overrides",
        nargs=argparse.REMAINDER,
        metavar="--analysis.KEY VALUE",
        help="settings of the analysis, instead of those of the run; the keys are those of learnsym train --help",
    )
    analyze.set_defaults(call=_analyze)
    export = commands.add_parser("export", help="plain torch program or ONNX, which runs without learnsym")
    export.add_argument("run", type=Path, help="run folder")
    export.add_argument("--out", type=Path, required=True, help="file to write, such as model.pt2")
    export.add_argument("--onnx", action="store_true", help="write ONNX instead of a torch program")
    export.add_argument("--averaged", action="store_true", help="with averaging over transformed copies baked in")
    export.set_defaults(call=_export)
    _add_measure(
        commands.add_parser("measure", help="how symmetric is this network, layer by layer: card.json, card.html")
    )
    _add_data(commands.add_parser("data", help="list, fetch or verify data sets"))
    return parser


def _add_measure(measure: argparse.ArgumentParser) -> None:
    measure.add_argument("model", help="FILE.py:factory with def factory() -> nn.Module, a run folder, or timm:NAME")
    measure.add_argument(
        "--data", help="a data set (its test examples) or a file .npz with x and y; may be left out for a run"
    )
    measure.add_argument("--symmetry", nargs="+", required=True, metavar="NAME", help="such as rotation2d flip2d")
    measure.add_argument("--out", type=Path, required=True, help="folder for card.json, card.html and figures")
    measure.add_argument("--size", type=int, help="resize images to SIZE x SIZE pixels")
    measure.add_argument("--output", metavar="KEY", help="which part of the model's output, by key or index")
    measure.add_argument("--device", default="cpu", help="such as cuda")
    measure.add_argument("--pretrained", action="store_true", help="published weights of timm, which are downloaded")
    measure.add_argument("--examples", type=int, default=200, help="examples for measures of the output")
    measure.add_argument("--layer-examples", type=int, default=16, help="examples for measures of layers")
    measure.add_argument("--samples", type=int, default=8, help="group elements per example")
    derivatives = ("spectral", "central", "bilinear")
    measure.add_argument("--derivative", default="spectral", choices=derivatives, help="of images")
    measure.add_argument("--memory", type=float, default=4.0, help="limit for activations in GiB")
    measure.add_argument("--seed", type=int, default=0)
    measure.add_argument("--no-layers", dest="layers", action="store_false", help="measure the output only")
    measure.set_defaults(call=_measure)


def _add_data(data: argparse.ArgumentParser) -> None:
    actions = data.add_subparsers(title="actions", metavar="ACTION", required=True)
    actions.add_parser("list", help="all data sets").set_defaults(call=_data_list)
    fetch = actions.add_parser("fetch", help="download from the official source and check")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(call=_data_fetch)
    verify = actions.add_parser("verify", help="check the files that are there")
    verify.add_argument("name", metavar="NAME")
    verify.set_defaults(call=_data_verify)


def _analyze(options: argparse.Namespace) -> int:
    from learnsym.report import analyze

    analysis = analyze(options.run, overrides=options.overrides)
    print(analysis.table())
    print(f"report: {analysis.report}")
    return 0


def _measure(options: argparse.Namespace) -> int:
    from learnsym.report import card

    names = ("examples", "layer_examples", "samples", "derivative", "layers", "memory", "seed")
    settings = card.CardSettings(**{name: getattr(options, name) for name in names})
    subject = card.load_subject(options.model, pretrained=options.pretrained, device=options.device)
    data = card.load_examples(
        options.data, settings.examples, size=options.size, seed=settings.seed, config=subject.config
    )
    output = card.output_named(options.output) if options.output else None
    found = card.measure_model(subject, data, options.symmetry, options.out, settings, output=output)
    print(card.text_table(found))
    print(f"card: {found.page}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from learnsym.export import export_run

    written = export_run(options.run, options.out, onnx=options.onnx, averaged=options.averaged)
    print(written or options.out)
    return 0


def _data_list(options: argparse.Namespace) -> int:
    from learnsym.data import catalogue

    rows = [
        [e.name, e.title, e.licence, f"{e.bytes / 1e6:.1f} MB" if e.bytes else "none", "yes" if e.present else "no"]
        for e in catalogue()
    ]
    _print_table(["name", "data", "licence", "download", "present"], rows)
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


def _print_table(header: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
