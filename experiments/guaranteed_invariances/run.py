"""Guaranteed invariances: what do invariant integration and streams give for how many training images?

python experiments/guaranteed_invariances/run.py --part samples --seeds 3 --out runs/guaranteed_invariances
python experiments/guaranteed_invariances/run.py --part streams --out runs/guaranteed_invariances
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

import learnsym as ls
from learnsym import equivariant as eq
from learnsym.data import Dataset, PlantConfig, Splits
from learnsym.nets import InvariantCNN, OverScales
from learnsym.relax import Streams

SIZE, STEPS, BATCH, WEIGHTS = 16, 300, 64, 7500
SCALES = (0.5, 0.7, 1.0, 1.4, 2.0)
FULL, KEPT = 16, 6
"""Monomials of each field before and after pruning."""
C, D = ls.groups.Cyclic, ls.groups.Dihedral
GROUPS = {"none": C(1), "D_1": D(1), "C_4": C(4), "D_4": D(4), "scale": C(1)}
INTEGRANDS: dict[str, Any] = {
    "pooling": None,
    "monomials": lambda fields: eq.Monomials(fields, count=8),
    "pruned monomials": lambda fields: eq.Monomials(fields, count=FULL),
    "weighted sums": lambda fields: eq.WeightedSums(fields, 24),
    "perceptron": lambda fields: eq.PointwiseMLP(fields, 24, hidden=16),
}
METHODS = ("plain", *INTEGRANDS, "streams")
LAWS = {
    "upright": PlantConfig(),
    "rotated": PlantConfig(rotation=180.0),
    "quarter turns": PlantConfig(law="atoms", angles=[0.0, 90.0, 180.0, 270.0]),
    "flipped": PlantConfig(flip=0.5),
    "scaled": PlantConfig(scale=0.69),
}
Row = dict[str, Any]


def weights(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def matched(make: Callable[[int], InvariantCNN], target: int) -> InvariantCNN:
    """The network with the number of fields whose number of weights is nearest to a target."""
    fields = min(range(1, 33), key=lambda fields: abs(weights(make(fields)) - target))
    return make(fields)


def classifier(group: Any, integrand: Any, target: int) -> InvariantCNN:
    return matched(lambda fields: InvariantCNN(group, 1, 10, fields, integrand), target)


def over_scales(target: int) -> nn.Module:
    """Features of a plain network, the largest over the scales, then its linear layer."""
    net = classifier(GROUPS["none"], None, target)
    pyramid = OverScales(nn.Sequential(net.features, net.invariants), SCALES, SIZE)
    return nn.Sequential(pyramid, net.norm, net.head)


def streams(names: Sequence[str], target: int) -> Streams:
    """A stream for each group, all with as many weights."""
    integrand = INTEGRANDS["weighted sums"]
    return Streams(
        {
            name: over_scales(target) if name == "scale" else classifier(GROUPS[name], integrand, target)
            for name in names
        }
    )


def untrained(method: str) -> nn.Module:
    if method == "streams":
        names = ("none", "C_4", "D_4", "scale")
        return streams(names, WEIGHTS // len(names))
    if method == "plain":
        return classifier(C(1), None, WEIGHTS)
    if method == "pruned monomials":  # as many weights as the others once pruned
        fields = classifier(C(4), lambda fields: eq.Monomials(fields, count=KEPT), WEIGHTS).features.out_type.fields
        return InvariantCNN(C(4), 1, 10, fields, INTEGRANDS[method])
    return classifier(C(4), INTEGRANDS[method], WEIGHTS)


def fit(net: nn.Module, train: Dataset, steps: int, seed: int) -> None:
    """AdamW on a half cosine."""
    mixture = ls.objectives.MixtureLikelihood(len(train))
    objective = mixture if isinstance(net, Streams) else ls.objectives.Supervised(ls.objectives.cross_entropy)
    batches = ls.data.Batches(train, BATCH, seed)
    ls.training.fit(net, objective, batches, steps=steps, seed=seed, optimiser=ls.training.OptimiserConfig(lr=1e-2))


def trained(method: str, train: Dataset, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = untrained(method)
    if method != "pruned monomials":
        fit(net, train, STEPS, seed)
        return net.eval()
    assert isinstance(net, InvariantCNN)
    fit(net, train, STEPS // 2, seed)
    net = net.pruned(KEPT)
    fit(net, train, STEPS - STEPS // 2, seed + 1000)
    return net.eval()


def accuracy(net: nn.Module, test: Dataset) -> float:
    with torch.no_grad():
        right = [net(x).argmax(1) == y for x, y in zip(test.x.split(500), test.y.split(500), strict=True)]
    return 100 * float(torch.cat(right).double().mean())


def splits(law: PlantConfig, train: int, seed: int) -> Splits:
    config = ls.data.DataConfig(name="mnist", size=SIZE, train=train, val=500, test=2000, plant=law, seed=seed)
    return ls.data.load_splits(config)


def sample_rows(sizes: Sequence[int], seeds: int, law: str) -> Iterator[Row]:
    """Accuracy of each method, for training sets each of which contains the smaller ones."""
    for seed in range(seeds):
        data = splits(LAWS[law], max(sizes), seed)
        for size in sizes:
            train = data.train.subset(torch.arange(size))
            for method in METHODS:
                net = trained(method, train, seed)
                found = {"law": law, "method": method, "train": size, "seed": seed, "weights": weights(net)}
                yield found | {"accuracy": round(accuracy(net, data.test), 2)}


def stream_rows(train: int, seeds: int) -> Iterator[Row]:
    """What held-out images say about the streams, for each planted law."""
    for law, planted in LAWS.items():
        for seed in range(seeds):
            data = splits(planted, train, seed)
            torch.manual_seed(seed)
            net = streams(tuple(GROUPS), WEIGHTS // 2)
            fit(net, data.train, STEPS, seed)
            learned = net.log_weights().exp().tolist()
            posterior = net.condition(data.val.x, data.val.y)
            net.eval()
            for s, degree in enumerate(ls.degrees(net)):
                found = {"law": law, "train": train, "seed": seed, "stream": degree.group}
                found |= {"learned": learned[s], "estimate": degree.estimate, "low": degree.low, "high": degree.high}
                found |= {"single": float(posterior.single[s]), "accuracy": accuracy(net.nets[s], data.test)}
                yield {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()} | {
                    "mixture": round(accuracy(net, data.test), 2)
                }


def interval(values: Sequence[float]) -> str:
    """Mean over seeds with Student's 95 % interval."""
    estimate = ls.measure.Estimate.of(torch.tensor(values, dtype=torch.float64))
    found = ls.measure.student_interval(estimate, 0.95)
    return f"{estimate.mean:6.2f} [{found.low:.2f}, {found.high:.2f}]"


def sample_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Accuracy, and what each method adds to pooling, paired by seed."""
    table: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        table.setdefault((row["method"], row["train"]), []).append(row["accuracy"])
    for (method, size), values in sorted(table.items(), key=lambda item: item[0][1]):
        gain = [a - b for a, b in zip(values, table["pooling", size], strict=True)]
        shown = "" if method == "pooling" else f"   - pooling {interval(gain)}"
        yield f"{size:5d} images  {method:17s} {interval(values)}{shown}"


def stream_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Means over seeds, and the range of the credible intervals."""
    table: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        table.setdefault((row["law"], row["stream"]), []).append(row)
    for (law, stream), found in table.items():
        mean = {
            k: sum(r[k] for r in found) / len(found) for k in ("learned", "estimate", "single", "accuracy", "mixture")
        }
        low, high = min(r["low"] for r in found), max(r["high"] for r in found)
        yield (
            f"{law:14s} {stream:6s} weight {mean['estimate']:.2f} [{low:.2f}, {high:.2f}]  alone {mean['single']:.2f}  "
            f"from training {mean['learned']:.2f}  accuracy {mean['accuracy']:.1f}, of all {mean['mixture']:.1f}"
        )


def main() -> None:
    form, arms = argparse.RawDescriptionHelpFormatter, f"arms of samples: {', '.join(METHODS)}"
    parser = argparse.ArgumentParser(description=__doc__, epilog=arms, formatter_class=form)
    parser.add_argument("--part", default="samples", choices=("samples", "streams"))
    parser.add_argument("--out", type=Path, default=Path("runs/guaranteed_invariances"))
    parser.add_argument("--seeds", type=int, default=4, help="at least 2")
    parser.add_argument("--law", default="rotated", choices=tuple(LAWS))
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start, rows = time.perf_counter(), []
    arguments.out.mkdir(parents=True, exist_ok=True)
    name = arguments.part if arguments.part == "streams" else f"samples_{arguments.law}"
    samples = arguments.part == "samples"
    found = (
        sample_rows(arguments.sizes, arguments.seeds, arguments.law) if samples else stream_rows(1000, arguments.seeds)
    )
    with (arguments.out / f"{name}.jsonl").open("w") as file:
        for row in found:
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
    lines = [*(sample_lines(rows) if samples else stream_lines(rows))]
    lines.append(f"{time.perf_counter() - start:.0f} s ({time.process_time():.0f} s of CPU)")
    (arguments.out / f"{name}.txt").write_text("\n".join(lines) + "\n")
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
