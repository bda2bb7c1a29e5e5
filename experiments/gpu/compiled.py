"""The compiled training step of every method: graph breaks, waits, and its time against the eager and the plain one."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from trial import Row, Step, Trial, step_of, waits

from learnsym.actions import PointCloud
from learnsym.data import Dataset, Splits
from learnsym.methods import registry
from learnsym.nets.config import NetConfig
from learnsym.objectives.choosers import registry as choosers
from learnsym.objectives.losses import LossConfig
from learnsym.parts import moved_to
from learnsym.training import RunConfig
from learnsym.training.build import build_model, build_objective

BODIES, POINTS = 64, 5
NETS = {"cnn": 32, "steerable": 8, "group": 8, "layerwise": 8, "invariant": 16, "regular": 8, "transformer": 64}
"""Networks, the first that a method takes, and their widths."""
SETTINGS: dict[str, dict[str, Any]] = {
    "remul": {"symmetries": ["rotation2d"]},
    "partial_group": {"group": "C_4"},
    "streams": {"groups": ["none", "C_4"]},
}
"""Those that a method needs for images."""


def methods(trial: Trial) -> Iterator[Row]:
    """A row for each method whose network takes images or clouds; the others are named."""
    for name in trial.within(registry):
        if not set(NETS) & set(registry[name].nets):
            needed = ", ".join(registry[name].nets)
            yield {"name": name, "not run": f"needs data that have to be simulated, for {needed}"}
            continue
        yield _row(trial, name)


def _row(trial: Trial, name: str) -> Row:
    config, splits = configured(name, trial.scaled(128, 4))
    ways: dict[str, Step] = {}
    found: dict[str, Any] = {}
    for way in ("compiled", "eager", "plain"):
        twin = "plain" if way == "plain" and "plain" in config.method.twins else "learned"
        model, objective, batch = _made(dataclasses.replace(config, twin=twin), splits, trial.device)
        step = step_of(model, objective, batch)
        if way == "eager":
            found |= {"waits": waits(step, trial.device), "graph breaks": _breaks(model, objective, batch)}
        if way == "compiled":
            model.compile(backend="inductor" if trial.device == "cuda" else "aot_eager")
        if way != "plain" or twin == "plain":
            ways[way] = step
    return trial.row(f"{name}: compiled / {[*ways][-1]}", ways, **found)


def configured(name: str, examples: int) -> tuple[RunConfig, Splits]:
    """A configuration of a method, and random data that fit it."""
    method = registry[name]
    net = next(net for net in NETS if net in method.nets)
    settings = SETTINGS.get(name, {})
    config = RunConfig(
        method=method(**settings),
        net=NetConfig(name=net, width=NETS[net]),
        loss=LossConfig(name="mse" if net == "transformer" else "cross_entropy"),
        chooser=choosers[next(each for each in method.choosers if each != "selection")](),  # not compiled
    )
    torch.manual_seed(0)
    if net == "transformer":
        clouds = PointCloud(vectors=1, scalars=1)
        x, y = torch.randn(examples, POINTS, clouds.features), torch.randn(examples, POINTS, 3)
        data = Dataset(x, y, "random clouds", on_input=clouds, on_output=PointCloud())
    else:
        on_sphere = name == "spherical"
        x, y = torch.rand(examples, 1, 28, 28), torch.arange(examples) % 10
        data = Dataset(x, y, "random images", classes=10, on_sphere=on_sphere)
    return config, Splits(data, data, data)


def _made(config: RunConfig, splits: Splits, device: str) -> tuple[nn.Module, Any, Any]:
    """The model, what is minimised and a batch, on the device, after a first step that may check and bring data."""
    model = build_model(config, splits.train.signature)
    objective = build_objective(config, model, splits)
    model.to(device).train()
    if isinstance(objective, nn.Module):
        objective.to(device).train()
    batch = moved_to((splits.train.inputs, splits.train.y), device)
    objective(model, batch)
    return model, objective, batch


def _breaks(model: nn.Module, objective: Any, batch: Any) -> int | str:
    """Breaks of the graph of the whole objective, without its code being compiled."""
    torch.compiler.reset()
    model, objective = copy.deepcopy((model, objective))
    try:
        found = torch._dynamo.explain(lambda given: objective(model, given).total)(batch)
    except Exception as error:  # whatever the tracer meets is what the row says
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    finally:
        torch.compiler.reset()
    return found.graph_break_count
