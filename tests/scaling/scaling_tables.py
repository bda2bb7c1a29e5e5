"""Tables of comparisons whose laws are known."""

from __future__ import annotations

import json

import numpy as np

from learnsym.scaling import Law, RepeatedLaw

LAWS = {
    "plain": Law(E=0.05, A=20.0, a=0.45, B=30.0, b=0.4),
    "exact": Law(E=0.05, A=8.0, a=0.45, B=14.0, b=0.4),
}
COSTS = {"plain": (6.0, 1.0), "exact": (31.0, 1.0)}


def row(arm, law, train, size, steps, seed, noise, *, batch_size=16, cost=None, R_star=None):
    """One finished cell."""
    N, D = float(size), float(steps * batch_size)
    loss = law.loss(N, D) if R_star is None else RepeatedLaw(law=law, R_star=R_star).loss(N, train, D)
    factor, exponent = cost or COSTS.get(arm, (6.0, 1.0))
    flops = factor * N**exponent
    scores = {"val_loss": loss * np.exp(noise[0]), "test_loss": loss * np.exp(noise[1])}
    return {
        **{"cell": f"{arm}-{train}-{size}-{steps}-{seed}", "state": "finished", "failure": None, "arm": arm},
        **{"train": train, "size": size, "width": size, "steps": steps, "batch_size": batch_size, "seed": seed},
        **{"lr": 1e-3, "parameters": int(N), "samples": int(D), "epochs": D / train, "degrees": json.dumps([])},
        **{"flops_counted": 1.3 * flops, "flops_nominal": flops, "flops_inference": flops / 3},
        **{"compute_counted": 1.3 * flops * D, "compute_nominal": flops * D},
        **{"seconds": 1e-9 * flops * D * (2 if arm == "exact" else 1), **scores},
        **{"val_accuracy": np.nan, "test_accuracy": np.nan},
    }


def table(laws=None, sizes=None, steps=None, trains=(10**7,), seeds=3, noise=0.01, seed=0, **options):
    """The grid of all sizes and steps for each arm; noise is partly common to the arms."""
    from pandas import DataFrame

    sizes = np.geomspace(1e3, 1e6, 5).astype(int) if sizes is None else sizes
    steps = np.geomspace(1e2, 1e5, 5).astype(int) if steps is None else steps
    rows, generator = [], np.random.default_rng(seed)
    for train in trains:
        for size in sizes:
            for step in steps:
                for number in range(seeds):
                    common = generator.normal(size=2)
                    for arm, law in (laws or LAWS).items():
                        own = noise * (0.7 * common + 0.7 * generator.normal(size=2))
                        rows.append(row(arm, law, train, int(size), int(step), number, own, **options))
    return DataFrame(rows)


def write(folder, frame):
    """As `learnsym compare` does."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / "table.parquet", index=False)
    return folder
