"""Which model a symmetry card is about: a factory in a file, a run, or a model of timm."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.measure._probe import Output
from learnsym.nets import Normalised, timm_model
from learnsym.training.config import RunConfig
from learnsym.training.run import Run
from learnsym.training.unfinished import check_finished

FORMS = "FILE.py:factory, a run folder, or timm:NAME"


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
        source: `FILE.py:factory` with `def factory() -> nn.Module`, a run folder, or `timm:NAME`.
        pretrained: whether a model of timm has its published weights, which are downloaded, instead of random ones.
        device: where it is put.
        unfinished: whether a run is taken as it is that is not trained to its end; the card says so.

    Raises:
        ValueError: when there is no such model, or the run is not trained to its end; it names the remedy.
    """
    if source.startswith("timm:"):
        subject = _of_timm(source.removeprefix("timm:"), pretrained)
    elif ".py:" in source:
        subject = Subject(name=source, model=_of_file(*source.rsplit(":", 1)))
    elif Path(source).is_dir():
        run = Run(source)
        model, notes = run.model(), tuple(check_finished([run], unfinished))
        subject = Subject(name=source, model=model, config=run.config, notes=notes)
    else:
        raise ValueError(f"model: got {source!r}, must be {FORMS}")
    subject.model.to(device)
    return subject


def output_named(key: str) -> Output:
    """Takes the part of a model's output that is called `key`, or is number `key` of a tuple.

    Raises:
        ValueError: when called with an output that has no such part.
    """

    def part(returned: Any) -> Tensor:  # noqa: ANN401
        try:
            return returned[int(key)] if key.isdecimal() and not isinstance(returned, dict) else returned[key]
        except (KeyError, IndexError, TypeError):
            kind = f"a dict with keys {', '.join(returned)}" if isinstance(returned, dict) else type(returned).__name__
            raise ValueError(f"output: got {key!r}, but the model returns {kind}") from None

    return part


def _of_timm(name: str, pretrained: bool) -> Subject:
    torch.manual_seed(0)
    net = timm_model(name, pretrained=pretrained)
    published = getattr(net, "pretrained_cfg", {})
    mean, std = published.get("mean") or (0.0,) * 3, published.get("std") or (1.0,) * 3
    weights = "published weights" if pretrained else "random weights"
    return Subject(name=f"timm:{name} ({weights})", model=Normalised(net, mean, std))


def _of_file(file: str, factory: str) -> nn.Module:
    path = Path(file).resolve()
    if not path.is_file():
        raise ValueError(f"model: there is no file {file}; give FILE.py:factory")
    make = _imported(path, factory)
    model = make()
    if not isinstance(model, nn.Module):
        raise ValueError(f"model: {factory}() of {file} returns a {type(model).__name__}, must be a torch.nn.Module")
    return model


def _imported(path: Path, factory: str) -> Callable[[], object]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"model: {path.name} cannot be imported ({type(error).__name__}: {error})") from error
    finally:
        sys.path.remove(str(path.parent))
    make = getattr(module, factory, None)
    if not callable(make):
        raise ValueError(f"model: {path.name} has no function {factory!r}; define def {factory}() -> nn.Module")
    return make
