"""How often the bounds of discovered generators hold, and how often generators are declared that are not there.

    python experiments/how_sure/generators.py

Functions of vectors: a random network (no symmetry), a radius with a wave of a size that keeps one direction near the
limit of declaration, and a radius alone (every rotation). True singular values are over 20,000 further vectors, by
second moments and without the library.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

from learnsym.files import write_json
from learnsym.measure import discover_generators

LIMIT = 0.3
POPULATION = 20_000
LAWS = ("normal", "t3", "log-normal", "contaminated")


def draw(law, count, d, generator):
    """Vectors with light or heavy tails."""

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    if law == "t3":
        return normal(count, d) / normal(count, 3).square().mean(1, keepdim=True).sqrt()
    if law == "log-normal":
        return normal(count, d) * normal(count, 1).exp()
    if law == "contaminated":
        return normal(count, d) * torch.where(normal(count, 1) > 1.645, 10.0, 1.0)
    return normal(count, d)


def network(d):
    torch.manual_seed(d)
    return nn.Sequential(nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, 2)).double()


def wavy(d):
    along = torch.linspace(-1, 1, d, dtype=torch.float64)
    return lambda x: (x.norm(dim=1) + 0.15 * torch.sin(2 * x @ along))[:, None]


def radial(d):
    return lambda x: x.norm(dim=1, keepdim=True)


FUNCTIONS = {"network": network, "wavy": wavy, "radial": radial}


class Population:
    """True singular values of a function under a law."""

    def __init__(self, function, x):
        leaf = x.clone().requires_grad_()
        outputs = function(leaf)
        read = [torch.autograd.grad(outputs[:, m].sum(), leaf, retain_graph=True)[0] for m in range(outputs.shape[1])]
        gradients = torch.stack(read)
        self.gradients = gradients / gradients.square().sum((0, 2)).sqrt()[:, None]
        self.x = x / x.norm(dim=1, keepdim=True)
        self.of_gradients = torch.einsum("mif,mig->fg", self.gradients, self.gradients) / len(x)
        self.of_x = self.x.T @ self.x / len(x)

    def singular_value(self, matrix):
        change = ((self.gradients @ matrix) * self.x).sum(2).square().sum(0).mean()
        unrelated = (matrix.T @ self.of_gradients @ matrix * self.of_x).sum()
        return float((change / unrelated).sqrt())


def cell(law, d, count, replicates):
    """Shares over replicates of each function."""
    generator = torch.Generator().manual_seed(0)
    rows = []
    for name, make in FUNCTIONS.items():
        function = make(d)
        population = Population(function, draw(law, POPULATION, d, generator))
        each = [one(function, population, draw(law, count, d, generator), seed) for seed in range(replicates)]
        shares = {key: sum(run[key] for run in each) / replicates for key in ("first", "all", "false")}
        found = sum(run["declared"] for run in each) / replicates
        rows.append({"law": law, "d": d, "examples": count, "function": name, **shares, "declared": found})
    return rows


def one(function, population, x, seed):
    """Whether bounds hold in one discovery, and what it declares."""
    found = discover_generators(function, x, permutations=39, seed=seed)
    truth = [population.singular_value(each.matrix) for each in found.candidates]
    bounds = found.bounds()
    declared = found.symmetries(below=LIMIT)
    return {
        "first": truth[0] <= found.candidates[0].bound(),
        "all": all(true <= bound for true, bound in zip(truth, bounds, strict=True)),
        "false": any(population.singular_value(matrix) >= LIMIT for matrix in declared),
        "declared": len(declared),
    }


def table(rows):
    """A markdown table, one line a law, dimension and number of examples: the worst of the functions."""
    yield "| law | d | examples | first bound holds | all bounds hold | false declarations | rotations of all found |"
    yield "|---|---|---|---|---|---|---|"
    for law, d, count in dict.fromkeys((row["law"], row["d"], row["examples"]) for row in rows):
        of = [row for row in rows if (row["law"], row["d"], row["examples"]) == (law, d, count)]
        first, every = (min(row[key] for row in of) for key in ("first", "all"))
        false = max(row["false"] for row in of)
        power = next(row["declared"] for row in of if row["function"] == "radial") / (d * (d - 1) / 2)
        yield f"| {law} | {d} | {count} | {first:.0%} | {every:.0%} | {false:.0%} | {power:.0%} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=60)
    parser.add_argument("--examples", type=int, nargs="+", default=[50, 200, 800])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    cells = [(law, d, count) for law in LAWS for d in (2, 3, 4) for count in options.examples]
    rows = [row for each in cells for row in cell(*each, options.replicates)]
    write_json(options.out, {"replicates": options.replicates, "rows": rows})
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
