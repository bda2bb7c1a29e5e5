"""What is compared: twins of one configuration, weights of the penalty, and where forces come from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from learnsym.training import RunConfig, read_config

BASE = Path(__file__).resolve().parents[2] / "configs" / "molecules" / "3bpa.yaml"
DATA = ("3bpa", "ethanol")
TRAIN = 450
"""Training examples of both."""


def penalised(weight: float, mode: str = "anchored") -> dict[str, Any]:
    return {"twin": "learned", "method": {"weight": weight, "mode": mode}}


ARMS: dict[str, dict[str, Any]] = {
    "plain": {"twin": "plain"},
    "plain, twice as long": {"twin": "plain", "longer": 2},
    "anchored, 0.1": penalised(0.1),
    "anchored, 1": penalised(1.0),
    "anchored, 10": penalised(10.0),
    "functional, 1": penalised(1.0, "functional"),
    "augmented": {"twin": "fixed"},
    "augmented, twice as long": {"twin": "fixed", "longer": 2},
    "exact, GATr": {"twin": "exact", "net": {"exact": "gatr"}, "rate": 6e-3},
    "exact, EGNN": {"twin": "exact", "net": {"exact": "egnn"}, "rate": 1e-2},
    "augmented, conservative": {"twin": "fixed", "net": {"forces": "conservative"}},
}


def config_of(arm: dict[str, Any], data: str, seed: int, steps: int | None, rate: float | None) -> RunConfig:
    """The configuration of one arm and seed, which draws training and validation examples, weights and batches."""
    base = read_config(BASE)
    steps = (steps or base.train.steps) * arm.get("longer", 1)
    return replace(
        base,
        twin=arm["twin"],
        twins=[],
        seeds=[seed],
        data=replace(base.data, name=data, train=TRAIN, seed=seed),
        net=replace(base.net, **arm.get("net", {})),
        method=replace(base.method, **arm.get("method", {})),
        optimiser=replace(base.optimiser, lr=rate or arm.get("rate", base.optimiser.lr)),
        train=replace(base.train, steps=steps, threads=1, device="cpu"),
    )
