"""Do weights that begin equivariant stay so under augmented training? Three parametrisations, two augmentations."""

from __future__ import annotations

from typing import Any

from networks import KERNELS, OBJECTIVES, RATE, accuracy, digits, equivariant, freed, of, spaces, tensor, trained

import learnsym as ls

CASES = ("cross", "skew", "slanted cross")
AUGMENTATIONS = ("full orbit", "random element")
EXAMPLES, EXACT, EPOCHS = 4000, 20, 10


def rows(seeds: int) -> list[dict[str, Any]]:
    """Distances of all cases, seeds and augmentations, which share digits, batches and, of a case, the start."""
    data, test = digits("train", EXAMPLES), digits("test", 1000)
    found = []
    for case in CASES:
        for seed in range(seeds):
            source = equivariant(case, seed, data, EXACT, RATE)
            kernel = ls.measure.compatibility(spaces(case, seed)[KERNELS[0]])
            for augmentation in AUGMENTATIONS:
                net = freed(source, case, seed)
                distances = trained(net, OBJECTIVES[augmentation], data, EPOCHS, RATE / 2, seed)
                steps = (len(distances) - 1) // EPOCHS
                found.append(
                    {
                        "case": case,
                        "seed": seed,
                        "augmentation": augmentation,
                        "commutator": kernel.commutator,
                        "orthonormal": kernel.orthonormal,
                        "start": distances[0],
                        "end": distances[-1],
                        "relative": ls.measure.distance_to_equivariance(net).relative,
                        "epochs": [sum(distances[1 + k * steps :][:steps]) / steps for k in range(EPOCHS)],
                        "steps": distances[: steps + 1],
                        "accuracy before": accuracy(source, test),
                        "accuracy": accuracy(net, test),
                    }
                )
    return found


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| kernels | commutator | orthonormal | augmentation | median distance [all] | accuracy before, after |"]
    lines.append("|---|---|---|---|---|---|")
    for case in CASES:
        for augmentation in AUGMENTATIONS:
            some = of(rows, case=case, augmentation=augmentation)
            ends = tensor([row["end"] for row in some])
            pair = [ls.statistics.over_seeds([row[key] for row in some]) for key in ("accuracy before", "accuracy")]
            kind = "yes" if some[0]["orthonormal"] else "no"
            lines.append(
                f"| {case} | {some[0]['commutator']:.3f} | {kind} | {augmentation} "
                f"| {ends.median():.2e} [{ends.min():.2e}, {ends.max():.2e}] | {_short(pair[0])}, {_short(pair[1])} |"
            )
    return "\n".join(lines)


def _short(interval: ls.statistics.Interval) -> str:
    return str(interval).removesuffix(" at 90%")
