"""Learned bases of three bodies in space: six free generators, and controls on shuffled labels."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from scipy.linalg import subspace_angles
from tasks import bodies_in_space
from torch import Tensor, nn

import learnsym as ls
from learnsym.measure import learned_basis, move_errors
from learnsym.objectives import Supervised, mse

POINTS, EXAMPLES, BATCH = ls.actions.PointCloud(vectors=1), 20_000, 256
BASIS_STEPS = 1000
Row = dict[str, Any]


@cache
def network(seed: int, shuffled: bool, steps: int) -> tuple[nn.Module, float]:
    """A plain network, trained once in a process, and its error on new examples over their variance."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    x, y = bodies_in_space(EXAMPLES, generator)
    if shuffled:
        y = y[torch.randperm(EXAMPLES, generator=generator)]
    net = nn.Sequential(
        nn.Flatten(),
        nn.Linear(18, 128),
        nn.Tanh(),
        nn.Linear(128, 128),
        nn.Tanh(),
        nn.Linear(128, 18),
        nn.Unflatten(1, (3, 6)),
    )
    batches = [(x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, EXAMPLES, BATCH)]
    optimiser = ls.training.OptimiserConfig(lr=2e-3)
    ls.training.fit(net, Supervised(mse), batches, steps=steps, optimiser=optimiser, seed=seed)
    new_x, new_y = bodies_in_space(4000, torch.Generator().manual_seed(1000 + seed))
    with torch.no_grad():
        return net.eval(), float((net(new_x) - new_y).square().mean() / new_y.var(0).mean())


def angle(matrices: Tensor) -> float | None:
    """Largest principal angle to so(3), in degrees; None where there are not three generators."""
    if len(matrices) != 3:
        return None
    own, true = matrices.flatten(1).T.numpy(), ls.groups.SO3().algebra.flatten(1).T.numpy()
    return math.degrees(float(subspace_angles(own, true).max()))


def errors(nets: list[nn.Module], matrices: Tensor) -> Tensor:
    """Errors of the same moves of new examples, for each network."""
    x, _ = bodies_in_space(4000, torch.Generator().manual_seed(3000))
    return torch.stack([move_errors(net, x, POINTS, POINTS, matrices) for net in nets])


def cases(seeds: int, steps: int) -> Iterator[tuple[str, int, int, int]]:
    """Networks of true and of shuffled labels; all seeds have a part in each answer."""
    return ((labels, seed, seeds, steps) for labels in ("true", "shuffled") for seed in range(seeds))


def basis(labels: str, seed: int, seeds: int, steps: int) -> list[Row]:
    """The basis of one network, judged by the next one beside controls.

    A basis of shuffled labels is judged beside those controls that neither chose nor judge it.
    """
    start, shuffled = time.perf_counter(), labels == "shuffled"
    controls = [network(each, True, steps)[0] for each in range(seeds + 1)]
    nets = controls if shuffled else [network(each, False, steps)[0] for each in range(seeds)]
    x, _ = bodies_in_space(4000, torch.Generator().manual_seed(2000 + seed))
    found = learned_basis(nets[seed], x, POINTS, POINTS, generators=6, steps=BASIS_STEPS, seed=seed)
    following = (seed + 1) % len(nets)
    rest = [net for k, net in enumerate(controls) if not (shuffled and k in (seed, following))]
    judge, others = errors([nets[following]], found.matrices)[0], errors(rest, found.matrices)
    present = found.present(judge, others)
    row = {
        "labels": labels,
        "seed": seed,
        "error": network(seed, shuffled, steps)[1],
        "present": len(present),
        "angle": angle(present),
        "norms": found.norms.tolist(),
        "judge": judge.tolist(),
        "controls": others.mean(0).tolist(),
        "seconds": time.perf_counter() - start,
    }
    return [row]
