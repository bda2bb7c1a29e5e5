"""Stable along the equivariant subspace and unstable across it: one neuron in closed form, and networks for digits."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import torch
from networks import OBJECTIVES, RATE, digits, equivariant, freed
from torch import Tensor, nn

import learnsym as ls
from learnsym.objectives import FullOrbit, mse
from learnsym.relax import MapEntries
from learnsym.representations import Irrep

C2 = ls.groups.Cyclic(2)
FLIP = ls.Symmetry(C2, ls.actions.PointCloud(dim=2))
FLIPPED = {"w": MapEntries(Irrep(C2, 1), Irrep(C2, 0))}
X = torch.tensor([[[0.5, 0.0]], [[2.0, 0.0]]], dtype=torch.float64)
Y = torch.tensor([[1.4], [0.6]], dtype=torch.float64)
EXAMPLES, EXACT, MEASURED, MOST = 4000, 20, 50, 2
SMALL = (4, 8, 8)
ASKED = (("cross", "full orbit"), ("cross", "plain"), ("skew", "full orbit"))
Batch = tuple[Tensor, Tensor]


class Neuron(nn.Module):
    """`v tanh(b + w · x)`: a half turn of x flips `w`, so that only `b` is left in `E`; `b` is the best constant."""

    def __init__(self, v: float = 1.1) -> None:
        super().__init__()
        self.v = v
        self.w = nn.Parameter(torch.zeros(1, 2, dtype=torch.float64))
        self.b = nn.Parameter(torch.tensor(math.atanh(float(Y.mean()) / v), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.v * torch.tanh(self.b + x[:, 0] @ self.w.mT)


def rows(seeds: int) -> list[dict[str, Any]]:
    risk, neuron = FullOrbit(mse, FLIP), Neuron()
    found: list[dict[str, Any]] = [
        _row("neuron", "augmented", 0, ls.measure.stability(neuron, risk, (X, Y), C2, FLIPPED))
    ]
    with torch.no_grad():
        neuron.w[0, 0] = 1e-6
    before = float(risk(neuron, (X, Y)).total.detach())
    optimiser = ls.training.OptimiserConfig(name="sgd", lr=0.5, momentum=0.0, weight_decay=0.0, schedule="constant")
    ls.training.fit(neuron, risk, [(X, Y)], steps=400, optimiser=optimiser)
    after = float(risk(neuron, (X, Y)).total.detach())
    found.append(
        {"net": "neuron", "risk": "descent from 1e-6", "before": before, "after": after, "w": float(neuron.w[0, 0])}
    )
    data = digits("train", EXAMPLES)
    batch = data.x[:MEASURED].double(), data.y[:MEASURED].double()
    for seed in range(min(seeds, MOST)):
        nets = {}
        for case in ("cross", "skew"):
            source = equivariant(case, seed, data, EXACT, RATE, SMALL)
            nets[case] = freed(source.double(), case, seed).double()
        for case, name in ASKED:
            measured = ls.measure.stability(nets[case], OBJECTIVES[name], batch)
            found.append(_row(case, name, seed, measured))
    return found


def _row(net: str, risk: str, seed: int, found: ls.measure.Stability) -> dict[str, Any]:
    return {"net": net, "risk": risk, "seed": seed, **asdict(found)}


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| net | risk | seed | along E | across E | mixed | gradient along, across |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "after" in row:
            lines.append(
                f"| {row['net']} | {row['risk']} | | {row['before']:.6f} -> {row['after']:.6f} | w {row['w']:.3f} | | |"
            )
            continue
        ends = [f"[{low:.3g}, {high:.3g}]" for low, high in (row["along"], row["across"])]
        gradients = f"{row['gradient_along']:.2g}, {row['gradient_across']:.2g}"
        shown = " | ".join([row["net"], row["risk"], str(row["seed"]), *ends, f"{row['mixed']:.2g}", gradients])
        lines.append(f"| {shown} |")
    return "\n".join(lines)
