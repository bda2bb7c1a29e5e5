"""Softness: networks pretrained on upright garments, softened, fine-tuned upright or turned, against the plain network.

python experiments/softness/run.py --out runs/softness
"""

import argparse
import copy
import json
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import learnsym as ls
from learnsym.nets.timm_models import timm_model
from learnsym.objectives import Bilevel, Supervised, cross_entropy
from learnsym.relax import FixedSoftness, LearnedSoftness, Softened

C4 = ls.groups.Cyclic(4)
SMALL_VIT = {"img_size": 28, "patch_size": 4, "embed_dim": 48, "depth": 3, "num_heads": 3}
SMALL_RESNET = {"layers": (1, 1, 1, 1), "channels": (16, 32, 64, 64)}
NETS = {
    "vit": (28, lambda: timm_model("vit_tiny_patch16_224", num_classes=10, in_chans=1, **SMALL_VIT)),
    "resnet": (33, lambda: timm_model("resnet18", num_classes=10, in_chans=1, **SMALL_RESNET)),
}
TASKS = ("upright", "turned")
DIALS = (0.0, 0.25, 0.5, 0.75, 1.0)
PRETRAINED, TUNED, HELD_OUT, TESTED = 12000, 1000, 500, 1000
Data = tuple[Tensor, Tensor]


def load(size: int) -> tuple[Data, Data]:
    """Training and test garments as images of one size."""
    splits = [ls.data.load("fashion-mnist", split=split) for split in ("train", "test")]
    train, test = ((F.interpolate(split.x, (size, size), mode="bilinear"), split.y) for split in splits)
    return train, test


def some(data: Data, seed: int, start: int, count: int) -> Data:
    """Examples from a place in an order of their own."""
    order = torch.randperm(len(data[1]), generator=torch.Generator().manual_seed(seed))[start : start + count]
    return data[0][order], data[1][order]


def turned(data: Data, seed: int) -> Data:
    """Each image by a random quarter turn, the same for all arms."""
    turns = torch.randint(4, (len(data[1]),), generator=torch.Generator().manual_seed(seed))
    orbit = torch.stack([data[0].rot90(k, (2, 3)) for k in range(4)])
    return orbit[turns, torch.arange(len(turns))], data[1]


def batches(data: Data, steps: int, seed: int, task: str) -> list[Data]:
    """Batches with fresh turns at every step, the same for all arms."""
    generator = torch.Generator().manual_seed(seed)
    picks = [torch.randint(len(data[1]), (32,), generator=generator) for _ in range(steps)]
    found = [(data[0][pick], data[1][pick]) for pick in picks]
    return [turned(batch, step) for step, batch in enumerate(found)] if task == "turned" else found


def train(model: nn.Module, objective: Any, given: list[Data], lr: float, seed: int) -> nn.Module:
    optimiser = ls.training.OptimiserConfig(lr=lr, symmetry_lr=0.1)
    ls.training.fit(model, objective, given, steps=len(given), optimiser=optimiser, seed=seed)
    return model.eval()


@torch.no_grad()
def accuracies(model: nn.Module, data: Data) -> dict[str, float]:
    """On upright images, on all quarter turns of them, and how often all four have one prediction."""
    found = torch.stack([_classes(model, data[0].rot90(k, (2, 3))) for k in range(4)])
    right = (found == data[1]).double()
    return {
        "upright": float(right[0].mean()),
        "turned": float(right.mean()),
        "agreement": float((found == found[0]).all(0).double().mean()),
    }


def _classes(model: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([model(part).argmax(1) for part in x.split(250)])


@torch.no_grad()
def tightness(model: Softened) -> dict[str, float]:
    """The largest error of a softened parameter under a quarter or half turn, and its largest share of the bound."""
    rows = []
    for name, weight in model.weights().items():
        moved = dict(zip(model.names, model.soft, strict=True))[name].moved
        entries = moved.entries(weight)
        first = moved.differences(C4)[0].to(entries) + torch.eye(moved.together)
        errors = [(entries @ first.matrix_power(k).mT - entries).norm() / entries.norm() for k in (1, 2, 3)]
        rows.append((float(max(errors)), model.bounds()[name]))
    assert all(error <= bound + 1e-5 for error, bound in rows)
    shares = [error / bound for error, bound in rows if bound > 1e-4]
    return {"error": max(error for error, _ in rows), "bound": max(b for _, b in rows), "share": max(shares, default=0)}


def row(arm: str, model: nn.Module, test: Data, held_out: Data, **more: Any) -> dict[str, Any]:
    with torch.no_grad():
        loss = float(cross_entropy(model(held_out[0]), held_out[1]))
    weights = tightness(model) if isinstance(model, Softened) else {}
    return {"arm": arm, "held out": loss, **accuracies(model, test), **weights, **more}


def arms(
    net: str, task: str, seed: int, steps: int, source: nn.Module, data: tuple[Data, Data]
) -> list[dict[str, Any]]:
    """All arms of one network, task and seed, from one source and on the same batches."""
    full, tests = data
    tuning, held_out = some(full, seed, PRETRAINED, TUNED), some(full, seed, PRETRAINED + TUNED, HELD_OUT)
    held_out = turned(held_out, 1000 + seed) if task == "turned" else held_out
    test, given = some(tests, 0, 0, TESTED), batches(tuning, steps, seed, task)
    common = {"net": net, "task": task, "seed": seed}
    rows, models = [row("source", source, test, held_out, **common)], {}
    for dial in DIALS:
        soft = Softened(copy.deepcopy(source), C4, FixedSoftness(dial))
        models[dial] = train(soft, Supervised(cross_entropy), given, 5e-4, seed)
        rows.append(row(f"{dial:g}", models[dial], test, held_out, **common))
    found = ls.posterior.softness_posterior(models, cross_entropy, *held_out)
    rows.append(row("chosen", models[found.best], test, held_out, softness=found.best, **common))
    rows[-1]["probabilities"] = found.probabilities.tolist()
    learned = Softened(copy.deepcopy(source), C4, LearnedSoftness(0.5))
    train(learned, Bilevel(Supervised(cross_entropy), held_out), given, 5e-4, seed)
    rows.append(row("learned", learned, test, held_out, softness=list(learned.softness().values()), **common))
    return rows


def summary(rows: list[dict[str, Any]]) -> str:
    """One line of a network, a task and an arm, over seeds."""
    first = rows[0]
    columns = [
        str(ls.statistics.over_seeds([each[key] for each in rows]).clipped(0, 1))
        for key in ("upright", "turned", "agreement")
    ]
    return f"{first['net']:7s} {first['task']:8s} {first['arm']:8s} " + " ".join(f"{each:32s}" for each in columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pretraining", type=int, default=400)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("runs/softness"))
    arguments = parser.parse_args()
    start, rows = time.process_time(), []
    for net in arguments.nets:
        size, make = NETS[net]
        data = load(size)
        for seed in range(arguments.seeds):
            torch.manual_seed(seed)
            upright = batches(some(data[0], seed, 0, PRETRAINED), arguments.pretraining, seed, "upright")
            source = train(make(), Supervised(cross_entropy), upright, 2e-3, seed)
            for task in arguments.tasks:
                rows += arms(net, task, seed, arguments.steps, source, data)
        for task in arguments.tasks:
            for arm in dict.fromkeys(each["arm"] for each in rows):
                same = [each for each in rows if (each["net"], each["task"], each["arm"]) == (net, task, arm)]
                print(summary(same), flush=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    result = {"processor seconds": time.process_time() - start, "rows": rows}
    (arguments.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"{result['processor seconds']:.0f} s")


if __name__ == "__main__":
    main()
