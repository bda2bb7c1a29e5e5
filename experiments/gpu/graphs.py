"""A training step of small networks as one CUDA graph, against the same step call by call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from torch import nn
from trial import Row, Step, Trial, step_of

from learnsym.augment import Augmented, Plain
from learnsym.nets import CNN, MLP
from learnsym.objectives import Augerino, Supervised

NETS: dict[str, Callable[[], nn.Module]] = {
    "MLP": lambda: MLP(196, 10, width=64),
    "CNN": lambda: CNN(1, 10, width=8, size=14, depth=2),
}


def graphs(trial: Trial) -> Iterator[Row]:
    """The captured step, the compiled one without launches (`reduce-overhead`), and the eager one."""
    if trial.device != "cuda":
        yield {"name": "CUDA graphs", "not run": "needs a GPU; --device cuda"}
        return
    for name in trial.within(NETS):
        torch.manual_seed(0)
        x, y = torch.rand(64, 1, 14, 14, device="cuda"), torch.randint(10, (64,), device="cuda")
        net, objective = Plain(NETS[name]()).cuda(), Supervised(nn.functional.cross_entropy)
        copies = [copy.deepcopy(net) for _ in range(2)]
        copies[0].compile(mode="reduce-overhead")
        ways: dict[str, Step] = {
            "captured": captured(step_of(net, objective, (x, y), capturable=True)),
            "reduce-overhead": step_of(copies[0], objective, (x, y)),
            "eager": step_of(copies[1], objective, (x, y)),
        }
        yield trial.row(f"{name}: captured / eager step, batch 64", ways)
        moved = Augmented(copy.deepcopy(copies[1]), "rotation2d").cuda()
        reduced = copy.deepcopy(moved)
        reduced.compile(mode="reduce-overhead")
        augerino = Augerino(nn.functional.cross_entropy)
        ways = {name: step_of(model, augerino, (x, y)) for name, model in (("reduced", reduced), ("eager", moved))}
        yield trial.row(f"{name} with a learned rotation: reduce-overhead / eager step, batch 64", ways)


def captured(step: Step) -> Step:
    """A step as one CUDA graph, after three on another stream; what it draws is drawn anew at every replay."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
