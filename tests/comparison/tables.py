"""Tables of made-up comparisons, from known learning curves and noise."""

import json

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

SIZES = {"100": 100, "300": 300, "1000": 1000, "3000": 3000, "10000": 10_000, "30000": 30_000}
TRAIN = tuple(SIZES.values())


def error(train, factor, exponent, floor):
    return floor + factor * np.asarray(train, dtype=float) ** -exponent


# share of wrong answers: exact wins with few examples, plain with many, learned follows the better one
CURVES = {
    "plain": lambda n: error(n, 4.0, 0.52, 0.010),
    "augmented": lambda n: error(n, 2.6, 0.46, 0.014),
    "exact": lambda n: error(n, 1.2, 0.36, 0.022),
    "learned": lambda n: np.minimum(error(n, 4.0, 0.52, 0.010), error(n, 1.2, 0.36, 0.022)) + 0.001,
}


def table(
    curves=None,
    train=TRAIN,
    sizes=(16,),
    steps=(1000,),
    seeds=(0, 1, 2),
    noise=0.05,
    accuracy=True,
    random=0,
):
    """One row a cell; `noise` is relative, half of it (in variance) shared by the arms of a seed."""
    curves = curves or CURVES
    rng = np.random.default_rng(random)
    shared = {key: rng.normal() for key in ((n, seed) for n in train for seed in seeds)}
    rows = [
        _row(arm, n, size, length, seed, curve, noise * (shared[n, seed] + rng.normal()) / 2**0.5, accuracy)
        for arm, curve in curves.items()
        for n in train
        for size in sizes
        for length in steps
        for seed in seeds
    ]
    return pd.DataFrame(rows)


def _row(arm, n, size, steps, seed, curve, noise, accuracy):
    wrong = float(curve(n) * (16 / size) ** 0.15 * (1000 / steps) ** 0.1 * np.exp(noise))
    wide = {"exact": 0.6, "learned": 0.98}.get(arm, 1.0)
    flops = 2e4 * size**2 * {"exact": 2.5, "learned": 2.6}.get(arm, 1.0)
    right = 1 - wrong if accuracy else np.nan
    return {
        "cell": f"{arm}-{n}-{size}-{steps}-{seed}",
        "state": "finished",
        "failure": None,
        "arm": arm,
        "train": n,
        "size": size,
        "width": round(size * wide),
        "steps": steps,
        "batch_size": 64,
        "seed": seed,
        "lr": 1e-3,
        "parameters": round(40 * size**2 * (1.0 if arm != "exact" else 0.97)),
        "flops_counted": flops,
        "flops_nominal": 0.8 * flops,
        "flops_inference": flops / 3,
        "samples": 64 * steps,
        "epochs": 64 * steps / n,
        "compute_counted": flops * 64 * steps,
        "compute_nominal": 0.8 * flops * 64 * steps,
        "seconds": 1e-9 * flops * steps * 64,
        "val_loss": 4.1 * wrong,
        "val_accuracy": right,
        "test_loss": 4.0 * wrong,
        "test_accuracy": right,
        "degrees": json.dumps(_degrees(n, seed) if arm.startswith("learned") else []),
    }


def _degrees(n, seed):
    rng = np.random.default_rng([n, seed])
    names = {"rotation": ("degree", 60.0), "scale": ("log", 0.2)}
    return [
        {
            "site": "input",
            "group": "affine2d",
            "generator": name,
            "unit": unit,
            "notion": "task",
            "estimate": top * (1 - 5 / n**0.5) + 0.05 * top * rng.normal(),
            "low": None,
            "high": None,
            "level": 0.9,
            "method": "augerino",
            "data": "",
        }
        for name, (unit, top) in names.items()
    ]


def true_crossing(first, second, low=10.0, high=1e7):
    """Where two curves meet, by bisection in log n."""
    sign = np.sign(first(low) - second(low))
    for _ in range(100):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if np.sign(first(middle) - second(middle)) == sign else (low, middle)
    return middle
