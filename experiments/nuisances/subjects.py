"""Subjects without a preferred direction: drawn at every angle from formulas, so that no interpolation turns them.

Coordinates are in half sides from the middle of the picture. Legend of axes: `N` subjects, `H W` samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Draw = Callable[[Tensor, Tensor, torch.Generator], Tensor]
"""From coordinates `(N, H, W)` in the frame of each subject, twice, to brightness from 0 to 1."""


def galaxies(u: Tensor, v: Tensor, random: torch.Generator) -> Tensor:
    """Inclined discs of exponential brightness with two arms that wind one way, a bulge, and a bright knot."""
    n = len(u)
    tilt, size = _between(0.45, 0.9, n, random), _between(0.16, 0.24, n, random)
    v = v / tilt
    radius, angle = (u.square() + v.square()).sqrt() + 1e-3, torch.atan2(v, u)
    arms = 1 + 0.7 * torch.cos(2 * angle - 5 * radius.log() + _between(-0.5, 0.5, n, random))
    knot = torch.exp(-((u - 0.35).square() + (v - 0.1).square()) / 0.012)
    return torch.exp(-radius / size) * arms * 0.6 + 0.5 * torch.exp(-(radius.square()) / 0.006) + 0.3 * knot


def cells(u: Tensor, v: Tensor, random: torch.Generator) -> Tensor:
    """Ellipses with a soft edge, a nucleus off their middle and four granules."""
    n = len(u)
    long, ratio = _between(0.4, 0.58, n, random), _between(0.55, 0.85, n, random)
    body = torch.sigmoid((1 - ((u / long).square() + (v / long / ratio).square()).sqrt()) * 12)
    nucleus = torch.exp(-((u - 0.3 * long).square() + v.square()) / (0.22 * long).square())
    x = 0.35 * body + 0.45 * nucleus
    for _ in range(4):
        a, b = _between(-0.6, 0.2, n, random) * long, _between(-0.6, 0.6, n, random) * long * ratio
        x = x + 0.2 * torch.exp(-((u - a).square() + (v - b).square()) / 0.004)
    return x


def discs(u: Tensor, v: Tensor, random: torch.Generator) -> Tensor:
    """Round plates with fibres along one direction, brighter at one end."""
    n = len(u)
    edge = torch.sigmoid((_between(0.5, 0.62, n, random) - (u.square() + v.square()).sqrt()) * 25)
    phase, wave = _between(0, 2 * math.pi, n, random), _between(9, 13, n, random)
    fibres = 0.5 + 0.25 * torch.cos(wave * v + phase) + 0.15 * torch.cos(2.3 * wave * v + 3 * u + 2 * phase)
    return edge * (fibres + 0.3 * u)


SUBJECTS: dict[str, Draw] = {"galaxies": galaxies, "cells": cells, "discs": discs}


def _between(low: float, high: float, n: int, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, 1, 1, generator=random)
