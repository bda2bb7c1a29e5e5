"""Which model a symmetry card is about: a factory in a file, a run, a model of timm, or an exported program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from learnsym._reasons import reason_of
from learnsym.nets.sources import FORMS as SOURCES
from learnsym.nets.sources import OutputPart, Source, TimmModel, Wanted, load_weights, of_several, source_of
from learnsym.parts import Part, Whole
from learnsym.training.config import RunConfig
from learnsym.training.run import Run
from learnsym.training.unfinished import check_finished

FORMS = f"a run folder, {SOURCES}"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model, and what it was trained on where that is known."""

    name: str
    model: nn.Module
    config: RunConfig | None = None
    notes: tuple[str, ...] = ()
    """What the card says of it, such as that its training is unfinished."""


def load_subject(
    source: str,
    *,
    weights: str | None = None,
    x: Whole = None,
    moves: str = "",
    output: str | None = None,
    pretrained: bool = False,
    device: torch.device | str = "cpu",
    unfinished: bool = False,
) -> Subject:
    """The model that a word of the command line names.

    Args:
        source: `FILE.py:factory`, which is executed, with `def factory() -> nn.Module`, a class or a module; a run
            folder; `timm:NAME`; `hf:FOLDER`; or a program `FILE.pt2` of `torch.export`.
        weights: a file of weights that the model is given, see `nets.sources.load_weights`.
        x: examples that it is for, of which a factory is given the shape where it has an argument for it.
        moves: of several inputs the one whose shape that is, by its key.
        output: key of the part of what it returns that is measured; None for the usual one.
        pretrained: whether a model of timm has its published weights, which are downloaded, instead of random ones.
        device: where it is put.
        unfinished: whether a run is taken as it is that is not trained to its end; the card says so.

    Raises:
        ValueError: when there is no such model, or the run is not trained to its end; it names the remedy.
    """
    place = device_named(device)
    found = source_of(source, "model")
    if pretrained and not isinstance(found, TimmModel):
        raise ValueError(f"pretrained: got {source!r}, only timm:NAME has published weights; leave --pretrained out")
    if isinstance(found, TimmModel):
        found = replace(found, pretrained=pretrained)
    if found is None:
        subject = _of_run(source, unfinished, weights)
    else:
        subject = _of_source(source, found, x, moves, output, weights)
    try:
        subject.model.to(place)
    except Exception as error:  # weights on the meta device, or more than the device holds
        raise ValueError(f"model: cannot be put on {place} ({reason_of(error)}); give it with its weights") from error
    return subject


def config_of(source: str) -> RunConfig | None:
    """The configuration of a run, if `source` is a folder: known before the model is made."""
    return Run(source).config if Path(source).is_dir() else None


def device_named(name: torch.device | str) -> torch.device:
    """A device that this machine has.

    Raises:
        ValueError: when the name is unknown, or there is no such device.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).tolist()  # fails for a device that is not there, or holds no values
    except Exception as error:  # torch raises errors of many kinds here
        raise ValueError(
            f"device: got {str(name)!r}, which cannot be used here ({reason_of(error)}); use cpu"
        ) from error
    return device


def _of_run(source: str, unfinished: bool, weights: str | None) -> Subject:
    if not Path(source).is_dir():
        raise ValueError(f"model: got {source!r}, must be {FORMS}")
    if weights is not None:
        raise ValueError(f"weights: got {weights!r} with a run, which has weights of its own; leave --weights out")
    run = Run(source)
    model, notes = run.model(), tuple(check_finished([run], unfinished))
    return Subject(name=source, model=model, config=run.config, notes=notes)


def _of_source(word: str, source: Source, x: Whole, moves: str, output: str | None, weights: str | None) -> Subject:
    torch.manual_seed(0)
    shape = None if x is None else tuple(Part(moves, "data.moves").get(x).shape[1:])
    net = source.network(Wanted(in_shape=shape))
    if weights is not None:
        load_weights(net, Path(weights), "weights")
    if x is not None:
        net = of_several(net, x)
    if source.output and output is None:
        net = OutputPart(net, Part(source.output, "output"))
    return Subject(name=word + _weights_in_words(source, weights), model=net)


def _weights_in_words(source: Source, weights: str | None) -> str:
    if weights is not None:
        return f" (weights of {Path(weights).name})"
    if isinstance(source, TimmModel):
        return " (published weights)" if source.pretrained else " (random weights)"
    return ""
