"""Which model a symmetry card is about: a factory in a file, a run, a model of timm, or an exported program."""

from __future__ import annotations

import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from learnsym._reasons import reason_of
from learnsym.nets import Normalised, timm_model
from learnsym.report.card.model_file import model_of_file
from learnsym.training.config import RunConfig
from learnsym.training.run import Run
from learnsym.training.unfinished import check_finished

FORMS = "FILE.py:factory, a run folder, timm:NAME, or a program FILE.pt2"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model, and what it was trained on where that is known."""

    name: str
    model: nn.Module
    config: RunConfig | None = None
    notes: tuple[str, ...] = ()
    """What the card says of it, such as that its training is unfinished."""


def load_subject(
    source: str, *, pretrained: bool = False, device: torch.device | str = "cpu", unfinished: bool = False
) -> Subject:
    """The model that a word of the command line names.

    Args:
        source: `FILE.py:factory`, which is executed, with `def factory() -> nn.Module`, a class or a module; a run
            folder; `timm:NAME`; or a program `FILE.pt2` of `torch.export`.
        pretrained: whether a model of timm has its published weights, which are downloaded, instead of random ones.
        device: where it is put.
        unfinished: whether a run is taken as it is that is not trained to its end; the card says so.

    Raises:
        ValueError: when there is no such model, or the run is not trained to its end; it names the remedy.
    """
    place = device_named(device)
    subject = _subject(source, pretrained, unfinished)
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


def _subject(source: str, pretrained: bool, unfinished: bool) -> Subject:
    if source.startswith("timm:"):
        return _of_timm(source.removeprefix("timm:"), pretrained)
    if pretrained:
        raise ValueError(f"pretrained: got {source!r}, only timm:NAME has published weights; leave --pretrained out")
    if ".py:" in source:
        return Subject(name=source, model=model_of_file(*source.rsplit(":", 1)))
    if source.endswith(".pt2"):
        return Subject(name=source, model=_of_program(Path(source)))
    if Path(source).is_dir():
        run = Run(source)
        model, notes = run.model(), tuple(check_finished([run], unfinished))
        return Subject(name=source, model=model, config=run.config, notes=notes)
    raise ValueError(f"model: got {source!r}, must be {FORMS}")


def _of_program(path: Path) -> nn.Module:
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"model: {path} is no file of torch.export; write it with learnsym export or torch.export.save"
        )
    logging.getLogger("torch.export").setLevel(logging.ERROR)  # it tells of each format that a file is not in
    try:
        return torch.export.load(path).module()
    except Exception as error:  # a damaged file raises errors of many kinds
        raise ValueError(
            f"model: {path} cannot be read ({reason_of(error)}); write it with learnsym export or torch.export.save"
        ) from error


def _of_timm(name: str, pretrained: bool) -> Subject:
    torch.manual_seed(0)
    net = timm_model(name, pretrained=pretrained)
    published = getattr(net, "pretrained_cfg", {})
    mean, std = published.get("mean") or (0.0,) * 3, published.get("std") or (1.0,) * 3
    weights = "published weights" if pretrained else "random weights"
    return Subject(name=f"timm:{name} ({weights})", model=Normalised(net, mean, std))
