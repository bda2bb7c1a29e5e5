"""Is the mean of an ensemble nearer to invariance when the space of its kernels is closed under turns?"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from networks import BATCH, TURNS, digits, network, spaces
from torch import Tensor

import learnsym as ls
from learnsym.objectives import MovedExamples
from learnsym.relax import Spanned

ARMS = ("cross", "skew")
SIZES = (5, 10, 20, 30)
MEMBERS, EXAMPLES, TESTED, EPOCHS, RATE, RESAMPLES = 30, 2000, 300, 10, 0.02, 500


def one_hot_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(outputs, targets)


def rows(seeds: int) -> list[dict[str, Any]]:
    """Divergence along orbits of ensembles of each kind of kernels, at several sizes; `seeds` does not matter."""
    data, test = digits("train", EXAMPLES), digits("test", TESTED)
    probabilities = {arm: torch.stack([_member(arm, seed, data, test) for seed in range(MEMBERS)]) for arm in ARMS}
    generator, found = torch.Generator().manual_seed(0), []
    for size in SIZES:
        picks = torch.randint(MEMBERS, (RESAMPLES, size), generator=generator)  # the same seeds in all arms
        drawn = {arm: torch.stack([_divergence(p[pick]) for pick in picks]) for arm, p in probabilities.items()}
        for arm in ARMS:
            low, high = torch.quantile(drawn[arm], torch.tensor([0.05, 0.95], dtype=torch.float64)).tolist()
            worse = float((drawn[arm] >= drawn["skew"]).double().mean())
            first = _divergence(probabilities[arm][:size])
            row = {"arm": arm, "size": size, "divergence": float(first), "low": low, "high": high}
            found.append(row | {"share not below skew": worse, "agreement": _agreement(probabilities[arm][:size])})
    return found


def _member(arm: str, seed: int, data: ls.data.Dataset, test: ls.data.Dataset) -> Tensor:
    """Probabilities `(4, N, 10)` that a member gives the test digits in all quarter turns."""
    torch.manual_seed(seed)
    net = network((4, 8, 8))
    net = Spanned(net, spaces(arm, seed))
    loader = ls.data.Batches(data, BATCH, seed=seed)
    ls.training.fit(
        net,
        MovedExamples(one_hot_cross_entropy, TURNS),
        loader,
        steps=EPOCHS * loader.steps_per_epoch,
        optimiser=ls.training.OptimiserConfig(name="sgd", lr=RATE, momentum=0.9, weight_decay=0.0),
        seed=seed,
    )
    with torch.no_grad():
        return torch.stack([net(test.x.rot90(k, (2, 3))).double().softmax(1) for k in range(4)])


def _divergence(members: Tensor) -> Tensor:
    """Mean of `KL(p(x) | p(g x))` over digits and the three other turns, of the mean prediction."""
    p = members.mean(0)
    return (p[:1] * (p[:1] / p[1:]).log()).sum(2).mean()


def _agreement(members: Tensor) -> float:
    """How many of the four turns have the prediction of the upright digit."""
    found = members.mean(0).argmax(2)
    return float((found == found[0]).double().sum(0).mean())


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| kernels | members | divergence [90 %] | resamples not below skew | agreement of 4 |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        shown = f"{row['divergence']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
        lines.append(
            f"| {row['arm']} | {row['size']} | {shown} | {row['share not below skew']:.3f} | {row['agreement']:.2f} |"
        )
    return "\n".join(lines)
