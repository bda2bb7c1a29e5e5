"""Relaxed convolution: a plume whose quarter turns buoyancy breaks, predicted by plain, exact and relaxed networks.

python experiments/relaxed_convolution/run.py --out runs/relaxed_convolution
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from scipy.stats import t as student
from torch import Tensor, nn

import learnsym as ls
from learnsym.equivariant import FieldType, GroupConv2d, SteerableConv
from learnsym.groups import Cyclic, Group
from learnsym.relax import RelaxedGroupConv2d, RelaxedSteerableConv

SIZE, CHANNELS, KERNEL, BATCH = 24, 16, 5, 8
SIMULATIONS, PAST, FUTURE, STRETCH = 6, 12, 8, 3.0
BUOYANCIES = (0.0, 0.5, 2.0)
BANKS, PENALTY = 3, 1e-4
RATES = {"steerable": 1e-2, "other": 3e-3}
QUARTER_TURNS = ls.Symmetry(Cyclic(4), ls.actions.Image(), ls.actions.Image())
Pairs = tuple[Tensor, Tensor]
Conv = Callable[[FieldType, FieldType], nn.Module]


def lattice(kind: type[GroupConv2d | SteerableConv]) -> Conv:
    return lambda a, b: kind(a, b, KERNEL, padding=KERNEL // 2, padding_mode="circular")


def relaxed(kind: type[RelaxedGroupConv2d | RelaxedSteerableConv]) -> Conv:
    return lambda a, b: kind(a, b, KERNEL, padding=KERNEL // 2, padding_mode="circular", banks=BANKS)


MODELS: dict[str, tuple[Group, Conv]] = {
    "plain": (Cyclic(1), lattice(GroupConv2d)),
    "exact group C4": (Cyclic(4), lattice(GroupConv2d)),
    "exact steerable C4": (Cyclic(4), lattice(SteerableConv)),
    "relaxed group C4": (Cyclic(4), relaxed(RelaxedGroupConv2d)),
    "relaxed steerable C4": (Cyclic(4), relaxed(RelaxedSteerableConv)),
}


class Forecast(nn.Module):
    """The present state plus four convolutions of it and of its stream function, `CHANNELS` channels between them."""

    def __init__(self, group: Group, conv: Conv) -> None:
        super().__init__()
        seen, state = FieldType.trivial(group, 3), FieldType.trivial(group, 2)
        order = len(group.components)
        hidden = FieldType.regular(group, CHANNELS // order) if order > 1 else FieldType.trivial(group, CHANNELS)
        types = [seen, hidden, hidden, hidden, state]
        self.layers = nn.ModuleList([conv(a, b) for a, b in itertools.pairwise(types)])

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([x, 4 * ls.data.stream_function(x[:, 1:])], 1)
        for layer in self.layers[:-1]:
            y = nn.functional.gelu(layer(y))
        return x + self.layers[-1](y)


def pairs(buoyancy: float, seed: int) -> dict[str, Pairs]:
    """Training pairs of frames in the past; tests on later frames, and on new simulations turned by 90°."""
    frames = PAST + FUTURE
    own = ls.data.smoke(SIMULATIONS, frames, buoyancy, size=SIZE, seed=seed, stretch=STRETCH)
    turned = ls.data.smoke(SIMULATIONS, PAST, buoyancy, size=SIZE, seed=1000 + seed, stretch=STRETCH, turned=True)
    mean, std = own[:, :PAST].mean((0, 1, 3, 4), keepdim=True), own[:, :PAST].std((0, 1, 3, 4), keepdim=True)
    own, turned = (own - mean) / std, (turned - mean) / std
    parts = {"past": own[:, :PAST], "future": own[:, PAST:], "turned": turned}
    return {name: (x[:, :-1].flatten(0, 1), x[:, 1:].flatten(0, 1)) for name, x in parts.items()}


def trained(name: str, data: Pairs, steps: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = Forecast(*MODELS[name])
    with torch.no_grad():  # near standing still: smooth states make the outputs of fresh layers large
        for bank in getattr(net.layers[-1], "banks", [net.layers[-1]]):
            for weight in bank.weights.values():
                weight.mul_(0.1)
    rate = RATES["steerable" if "steerable" in name else "other"]
    optimiser = ls.training.OptimiserConfig(lr=rate, weight_decay=0.0, warmup=steps // 5)
    prior = ls.objectives.terms.Prior(examples=1, weight=PENALTY)
    objective = ls.objectives.Regularised(ls.objectives.Supervised(ls.objectives.mse), [prior])
    batches = ls.data.Batches(ls.data.Dataset(*data), BATCH, seed)
    ls.training.fit(net, objective, batches, steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


def rmse(net: Callable[[Tensor], Tensor], data: Pairs) -> float:
    with torch.no_grad():
        return float((net(data[0]) - data[1]).square().mean().sqrt())


def change_error(step: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """The equivariance error of what a law or a network adds to the state."""
    return ls.measure.equivariance_error(lambda z: step(z) - z, x, QUARTER_TURNS).mean


def run(name: str, buoyancy: float, seed: int, steps: int) -> dict[str, Any]:
    data = pairs(buoyancy, seed)
    begun = time.perf_counter()
    net = trained(name, data["past"], steps, seed)
    seconds = time.perf_counter() - begun
    shares = [degree.estimate for degree in ls.degrees(net) if degree.generator == "all elements"]
    return {
        "model": name,
        "buoyancy": buoyancy,
        "seed": seed,
        "parameters": sum(p.numel() for p in net.parameters()),
        "seconds": seconds,
        **{part: rmse(net, data[part]) for part in data},
        "standing still": rmse(lambda x: x, data["future"]),
        "error": change_error(net, data["past"][0][:: PAST - 1]),
        "shares": shares,
    }


def planted(buoyancy: float, seed: int) -> float:
    """The equivariance error of the true law on the training states."""
    x = ls.data.smoke(SIMULATIONS, PAST, buoyancy, size=SIZE, seed=seed, stretch=STRETCH)[:, :-1].flatten(0, 1)[
        :: PAST - 1
    ]
    std = x.std((0, 2, 3), keepdim=True)
    return change_error(lambda z: ls.data.smoke_step(z * std, buoyancy) / std, x / std)


def interval(values: list[float]) -> str:
    """Mean and half-width of Student's 90 % interval over seeds."""
    x = torch.tensor(values, dtype=torch.float64)
    half = float(student.ppf(0.95, len(x) - 1)) * float(x.std()) / len(x) ** 0.5 if len(x) > 1 else float("nan")
    return f"{float(x.mean()):.4f} ± {half:.4f}"


def table(rows: list[dict[str, Any]], truth: dict[float, list[float]]) -> str:
    lines = ["| buoyancy | model | weights | RMSE past | RMSE future | RMSE turned | error of turns | exact share |"]
    lines.append("|" + "---|" * 8)
    for buoyancy in truth:
        lines.append(f"| {buoyancy} | *true law* | | | | | {interval(truth[buoyancy])} | |")
        for name in MODELS:
            own = [row for row in rows if row["model"] == name and row["buoyancy"] == buoyancy]
            if own:
                cells = [interval([row[key] for row in own]) for key in ("past", "future", "turned", "error")]
                shares = torch.tensor([row["shares"] for row in own]).mean(0).tolist()
                shown = " ".join(f"{share:.3f}" for share in shares)
                lines.append(f"| {buoyancy} | {name} | {own[0]['parameters']} | {' | '.join(cells)} | {shown} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/relaxed_convolution"), help="folder for results")
    parser.add_argument("--steps", type=int, default=400, help="steps of each training")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), help="which models")
    parser.add_argument(
        "--buoyancies", nargs="+", type=float, choices=BUOYANCIES, default=list(BUOYANCIES), help="which laws"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    truth = {b: [planted(b, seed) for seed in range(options.seeds)] for b in options.buoyancies}
    rows = []
    for buoyancy in options.buoyancies:
        for seed in range(options.seeds):
            for name in options.models:
                rows.append(run(name, buoyancy, seed, options.steps))
                print({key: value for key, value in rows[-1].items() if key != "shares"}, flush=True)
                (options.out / "rows.json").write_text(json.dumps({"rows": rows, "planted": truth}, indent=1) + "\n")
    (options.out / "table.md").write_text(table(rows, truth) + "\n")
    print(table(rows, truth))


if __name__ == "__main__":
    main()
