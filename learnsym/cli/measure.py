"""learnsym measure."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym._places import check_factory, check_source
from learnsym.cli._data_options import SOURCE, add_data_options, reading_of
from learnsym.cli._parser import EXECUTED, amount
from learnsym.cli._potential import PREFIX, measure_potential

if TYPE_CHECKING:
    from learnsym.training import RunConfig

MODEL = """FILE.py:factory with def factory() -> nn.Module (the file is EXECUTED: give none that you do not trust), a
run folder, timm:NAME, hf:FOLDER of transformers, or a program FILE.pt2; of two models it is said which is more
symmetric; or ase:FILE.py:factory that makes a calculator of ASE, for frames FILE.xyz"""
OUTPUTS = ("invariant", "image", "labels", "vectors", "points")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    measure = commands.add_parser(
        "measure", help="how symmetric is this network, or which of two: card.html", epilog=EXECUTED
    )
    measure.add_argument("model", nargs="+", help=MODEL)
    measure.add_argument("--data", metavar="SOURCE", help=f"{SOURCE}; may be left out for a run")
    measure.add_argument("--symmetry", nargs="+", metavar="NAME", help="such as rotation2d flip2d")
    measure.add_argument("--out", type=Path, help="folder for card.json, card.html and figures")
    measure.add_argument(
        "--range",
        dest="ranges",
        action="append",
        default=[],
        metavar="GENERATOR=NUMBER",
        help="try elements within this range only, in the unit of the generator: rotation=30; for each one",
    )
    measure.add_argument(
        "--tolerance", type=float, default=0.1, help="which part of predictions may change under a symmetry"
    )
    measure.add_argument("--size", type=int, help="resize images to SIZE x SIZE pixels")
    measure.add_argument(
        "--output", metavar="KEY", help="which part of the model's output, by key, attribute or index; a.b of a part"
    )
    measure.add_argument("--weights", metavar="FILE", help="weights for the model: .safetensors, .pt or .pth (no code)")
    measure.add_argument(
        "--output-as", choices=OUTPUTS, help="how outputs move when inputs do; guessed by shape, and said on the card"
    )
    measure.add_argument("--markdown", action="store_true", help="write card.md, a model card for a hub, too")
    measure.add_argument("--device", default="cpu", help="such as cuda")
    measure.add_argument("--pretrained", action="store_true", help="published weights of timm, which are downloaded")
    measure.add_argument("--examples", type=int, default=200, help="examples for measures of the output")
    measure.add_argument("--layer-examples", type=int, default=16, help="examples for measures of layers")
    measure.add_argument("--samples", type=int, default=8, help="group elements per example")
    derivatives = ("spectral", "central", "bilinear")
    measure.add_argument("--derivative", default="spectral", choices=derivatives, help="of images")
    measure.add_argument("--memory", type=amount, default=4.0, metavar="4G", help="limit beside the examples: 512M, 4G")
    measure.add_argument("--seed", type=int, default=0)
    measure.add_argument("--no-layers", dest="layers", action="store_false", help="measure the output only")
    measure.add_argument("--unfinished", action="store_true", help="take a run that is not trained to its end")
    add_data_options(measure)
    measure.set_defaults(call=_measure, defaults=vars(measure.parse_args(["model"])))


def _measure(options: argparse.Namespace) -> int:
    if any(model.startswith(PREFIX) for model in options.model):
        return measure_potential(options)
    for name in ("symmetry", "out"):
        if getattr(options, name) is None:
            raise ValueError(f"the following arguments are required: --{name}; see learnsym measure --help")
    for model in options.model:
        check_factory(model, "model")
    if options.data is not None:
        check_source(options.data)
    return _measure_network(options)


def _measure_network(options: argparse.Namespace) -> int:
    from learnsym.report import card

    names = ("examples", "layer_examples", "samples", "derivative", "layers", "memory", "seed", "tolerance")
    given = {name: getattr(options, name) for name in names}
    settings = card.CardSettings(**given, ranges=card.read_ranges(options.ranges))
    card.check_count(options.model)
    config = _config(options)
    reading = reading_of(options.data, options)
    where = {"size": options.size, "seed": settings.seed, "config": config, "reading": reading}
    data = card.load_examples(options.data, settings.examples, **where)
    names = ("weights", "output", "pretrained", "device", "unfinished")
    how = {name: getattr(options, name) for name in names}
    subjects = [card.load_subject(name, x=data.x, moves=data.moves, **how) for name in options.model]
    output = card.output_named(options.output) if options.output else None
    how = {"output": output, "output_as": options.output_as}
    if len(subjects) == 2:
        measured = card.measure_pair(subjects, data, options.symmetry, options.out, settings, **how)
    else:
        measured = card.measure_model(subjects[0], data, options.symmetry, options.out, settings, **how)
    print(measured)
    if options.markdown:
        for one in measured.cards:
            print(f"model card: {card.write_markdown(one)}")
    print(f"card: {measured.page}")
    return 0


def _config(options: argparse.Namespace) -> RunConfig | None:
    """The configuration of the runs that are measured, whose data are taken where none are named."""
    from learnsym.report import card

    configs = [card.config_of(model) for model in options.model]
    sources = [config.data for config in configs if config is not None]
    if options.data is None and any(source != sources[0] for source in sources):
        raise ValueError("data: got none, and the two runs have different data; name those to compare on by --data")
    return next((config for config in configs if config is not None), None)
