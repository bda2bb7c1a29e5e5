"""Warps, the step with a learned symmetry and steerable layers, each against its plain twin."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from trial import Row, Step, Trial, step_of, waits

import learnsym as ls
from learnsym.actions import warp
from learnsym.augment import Augmented, Plain
from learnsym.equivariant import FieldType, GroupConv2d, SteerableConv
from learnsym.groups import O2, Cyclic
from learnsym.nets import CNN
from learnsym.objectives import Augerino, cross_entropy

SIZE, CLASSES = 64, 10
WIDTHS = (16, 32, 64)


def warps(trial: Trial) -> Iterator[Row]:
    """A warp by matrices against PyTorch's own affine sampling, and a learned affine augmentation against none."""
    yield _warp(trial)
    for width in trial.within(WIDTHS):
        yield _learned(trial, width)


def layers(trial: Trial) -> Iterator[Row]:
    """Steerable and group convolutions against the ordinary convolution of the same kernel, forward and backward."""
    turns, all_turns = FieldType.regular(Cyclic(8), 8), FieldType.irreps(O2(), {0: 16, 1: 16, 2: 8})
    quarters = FieldType.regular(Cyclic(4), 16)
    kinds: dict[str, Callable[[], Any]] = {
        "SteerableConv of C_8": lambda: SteerableConv(turns, turns, 5, padding=2),
        "SteerableConv of O(2)": lambda: SteerableConv(all_turns, all_turns, 5, padding=2),
        "GroupConv2d of C_4": lambda: GroupConv2d(quarters, quarters, 3, padding=1),
    }
    for name in trial.within(kinds):
        torch.manual_seed(0)
        layer = kinds[name]()
        x = torch.randn(trial.scaled(128, 2), layer.in_type.size, 32, 32, device=trial.device)
        ways = {
            "steerable": _pass(layer.to(trial.device), x),
            "plain": _pass(layer.plain().to(trial.device), x),
        }
        yield trial.row(f"{name} / plain, {len(x)} x {layer.in_type.size} channels", ways, target=1.15)


def _warp(trial: Trial) -> Row:
    batch = trial.scaled(1024, 2)
    torch.manual_seed(0)
    x = torch.rand(batch, 3, SIZE, SIZE, device=trial.device, requires_grad=True)
    theta = torch.eye(2, 3, device=trial.device) + 0.1 * torch.randn(batch, 2, 3, device=trial.device)
    last = torch.tensor([0.0, 0.0, 1.0], device=trial.device).expand(batch, 1, 3)
    g = torch.cat([theta, last], 1).requires_grad_()
    theta.requires_grad_()
    weight = torch.ones_like(x)

    def plain() -> Tensor:
        return F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)

    ways: dict[str, Step] = {
        "warp": lambda: torch.autograd.grad(warp(x, g), (x, g), weight),
        "affine_grid and grid_sample": lambda: torch.autograd.grad(plain(), (x, theta), weight),
    }
    return trial.row(f"warp / affine_grid and grid_sample, {batch} x 3 x {SIZE} x {SIZE}", ways, target=1.0)


def _learned(trial: Trial, width: int) -> Row:
    batch = trial.scaled(512, 2)
    torch.manual_seed(0)
    net = CNN(3, CLASSES, width=width, size=32)
    models = {"learned": Augmented(copy.deepcopy(net), ls.symmetry_by_name("affine2d")), "plain": Plain(net)}
    x = torch.rand(batch, 3, 32, 32, device=trial.device)
    y = torch.randint(CLASSES, (batch,), device=trial.device)
    objective = Augerino(cross_entropy)
    ways = {name: step_of(model.to(trial.device), objective, (x, y)) for name, model in models.items()}
    found = waits(ways["learned"], trial.device)
    title = f"step with a learned affine law / plain, width {width}, batch {batch}"
    return trial.row(title, ways, target=1.15, waits=found)


def _pass(layer: nn.Module, x: Tensor) -> Step:
    def step() -> None:
        layer.zero_grad()
        layer(x).square().mean().backward()

    return step
