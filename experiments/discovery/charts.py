"""Local symmetry: a field whose law changes from place to place, seen through charts, with a network for each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from scipy.linalg import subspace_angles
from torch import Tensor, nn

import learnsym as ls
from learnsym.measure import local_basis
from learnsym.objectives import Supervised, mse

Row = dict[str, Any]
SIZE, FIELDS, STEPS, STEP = 32, 5000, 20, 0.1
CROP, DISC = 23, 5.5
"""Charts are crops; networks see a disc in the middle, since moves bring in what lies further out."""
DELTA, BASIS_STEPS = 0.1, 500
STRETCH = torch.tensor([[1.0, 0.5], [0.5, 1.0]])
"""Diffusion along the diagonal is three times as fast as across; its square root turns circles into ellipses."""
BANDS = {
    "round": (0.6 * torch.eye(2), torch.zeros(2)),
    "stretched": (0.7 * STRETCH, torch.zeros(2)),
    "drift": (0.6 * torch.eye(2), torch.tensor([0.5, 0.3])),
}
"""Diffusion in squared pixels, and drift in pixels, per unit of time: x to the right, y up."""


def skew(diffusion: Tensor) -> Tensor:
    """The generator that leaves a diffusion alone: `B D + D Bᵀ = 0`, a turn between square roots of `D`."""
    values, axes = torch.linalg.eigh(diffusion.double())
    root = axes @ values.sqrt().diag() @ axes.T
    turn = root @ torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64) @ root.inverse()
    return turn / turn.norm()


def evolved(names: tuple[str, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Fields `(B, 1, H, bands W)` and how they change: `u_t = ∇(D∇u) - v·∇u + u - u³` with D and v by band."""
    start = torch.randn(FIELDS, 1, SIZE, SIZE * len(names), generator=generator)
    spread = torch.exp(-torch.linspace(-3, 3, 13).square() / 2)
    kernel = (spread[:, None] * spread / spread.square().sum())[None, None]
    start = nn.functional.conv2d(nn.functional.pad(start, (6, 6, 6, 6), mode="circular"), kernel)
    start = 0.5 * start / start.std()
    laws = [BANDS[name] for name in names]
    # one number for each column
    column = torch.arange(SIZE * len(names)) // SIZE
    d = torch.stack([each for each, _ in laws])[column].movedim(0, -1)
    v = torch.stack([each for _, each in laws])[column].movedim(0, -1)
    u = start
    for _ in range(STEPS):
        # rows run downwards
        right, left = u.roll(-1, 3), u.roll(1, 3)
        up, down = u.roll(1, 2), u.roll(-1, 2)
        cross = (up.roll(-1, 3) - up.roll(1, 3) - down.roll(-1, 3) + down.roll(1, 3)) / 4
        second = d[0, 0] * (right + left - 2 * u) + d[1, 1] * (up + down - 2 * u) + 2 * d[0, 1] * cross
        slope = v[0] * (right - left) / 2 + v[1] * (up - down) / 2
        u = u + STEP * (second - slope + u - u**3)
    return start, u - start


def chart(start: Tensor, change: Tensor, place: int) -> tuple[Tensor, Tensor]:
    """The middle of one band: crops, and the change at their centre; one from each field."""
    low, edge = (SIZE - CROP) // 2, place * SIZE
    crop = start[:, :, low : low + CROP, edge + low : edge + low + CROP]
    return crop, change[:, :, low + CROP // 2, edge + low + CROP // 2]


class InDisc(nn.Module):
    """A plain network of the pixels of a disc."""

    def __init__(self) -> None:
        super().__init__()
        at = torch.arange(CROP) - CROP // 2
        self.register_buffer("seen", (at[:, None].square() + at.square()).flatten() <= DISC**2)
        inside = int(self.seen.sum())
        self.layers = nn.Sequential(nn.Linear(inside, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1)[:, self.seen])


def predictor(x: Tensor, y: Tensor, seed: int, steps: int) -> nn.Module:
    """A trained network."""
    torch.manual_seed(seed)
    net = InDisc()
    batches = [(x[i : i + 128], y[i : i + 128]) for i in range(0, len(x), 128)]
    optimiser = ls.training.OptimiserConfig(lr=2e-3)
    ls.training.fit(net, Supervised(mse), batches, steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


SHEETS = {"three laws": tuple(BANDS), "one law": ("round",) * 3}
"""A sheet of three bands, and one that is round everywhere."""


def cases(seeds: int, steps: int) -> Iterator[tuple[str, int, int]]:
    """Each sheet, each seed."""
    return ((sheet, seed, steps) for sheet in SHEETS for seed in range(seeds))


def charts(sheet: str, seed: int, steps: int) -> list[Row]:
    """A network and two generators of each chart of a sheet."""
    start, names = time.process_time(), SHEETS[sheet]
    fields, change = evolved(names, torch.Generator().manual_seed(seed))
    training = 2 * FIELDS // 3
    found, given = {}, {}
    for place, name in enumerate(names):
        x, y = chart(fields, change, place)
        net = predictor(x[:training], y[:training], seed, steps)
        with torch.no_grad():
            error = float((net(x[training:]) - y[training:]).square().mean() / y[training:].var())
        key = f"{place} {name}"
        found[key], given[key] = (net, x[training:]), error
    action = ls.actions.Image(mode="bicubic", padding="border")
    basis = local_basis(found, action, ls.actions.Invariant(), 2, DELTA, steps=BASIS_STEPS, seed=seed)
    return [
        {
            "sheet": sheet,
            "seed": seed,
            "chart": key,
            "error": given[key],
            "present": len(each.present),
            "angle": _angle(each.present, skew(BANDS[key[2:]][0])),
            "norms": each.norms.tolist(),
            "defects": [interval.estimate for interval in each.defects],
            "bounds": [list(interval.ends) for interval in each.defects],
            "p": list(each.p_values),
            "reaches": list(each.reaches),
            "verdicts": list(each.verdicts),
            "holds": {other: list(basis.holds[key, other]) for other in basis.charts},
            "shared": len(basis.shared),
            "seconds": time.process_time() - start,
        }
        for key, each in basis.charts.items()
    ]


def _angle(present: Tensor, truth: Tensor) -> float | None:
    """To the true generator, in degrees; None where not exactly one was found."""
    if len(present) != 1:
        return None
    return math.degrees(float(subspace_angles(present.flatten(1).T.numpy(), truth.flatten()[:, None].numpy()).max()))
