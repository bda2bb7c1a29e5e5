"""Certificates of generators: error rates on known fields, and generators of simulated tasks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from scipy.linalg import subspace_angles
from systems import FURTHER, SYSTEMS, System, displaced, pairs_of
from tasks import INERTIA, TASKS, Task
from torch import Tensor, nn

import learnsym as ls
from learnsym.measure import Certificates, GeneratorPairs, certify_generators, certify_model
from learnsym.objectives import Supervised, mse

COUNTS, NOISES, TOLERANCE = (100, 200, 400, 800, 1600, 3200), (0.01, 0.03, 0.1, 0.3), 0.05
Row = dict[str, Any]


def true_defects(system: System, x: Tensor, pairs: GeneratorPairs) -> Tensor:
    """`|DF ξ - A F| / (|DF ξ|² + |A F|²)^1/2` of the field itself, with `ξ = A x` or `A x + b`."""
    found = []
    for motion, a in zip(pairs.moved(x).unbind(-1), pairs.output, strict=True):
        _, along = torch.func.jvp(system.field, (x,), (motion,))
        moved = system.field(x) @ a.mT
        found.append((along - moved).norm() / math.hypot(float(along.norm()), float(moved.norm())))
    return torch.stack(found)


def one(system: System, candidates: GeneratorPairs, count: int, noise: float, seed: int, degree: int) -> Row:
    """One data set: what is certified, what of it is false, whether all bounds hold, what a threshold would say."""
    x, y = pairs_of(system, count, noise, seed)
    found = certify_generators(x, y, candidates, degree, TOLERANCE)
    a, b = (torch.stack([getattr(each, side) for each in found.generators]) for side in ("input", "output"))
    exact = true_defects(system, x, GeneratorPairs(input=a, output=b))
    low, high = torch.tensor([each.defect.ends for each in found.generators], dtype=torch.float64).T
    certified = torch.tensor([each.verdict == "certified" for each in found.generators])
    refuted = torch.tensor([each.verdict == "refuted" for each in found.generators])
    plug_in = torch.tensor([each.defect.estimate <= TOLERANCE for each in found.generators])
    return {
        "held": bool(((low <= exact + 1e-9) & (exact <= high + 1e-9)).all()),
        "detected": bool(certified.any()),
        "all": found.dimension == system.symmetries,
        "false": bool((certified & (exact > TOLERANCE)).any()),
        "refuted falsely": bool((refuted & (exact <= TOLERANCE)).any()),
        "threshold detected": bool(plug_in.any()),
        "threshold false": bool((plug_in & (exact > TOLERANCE)).any()),
        "gate": bool(found.reason),
        "first bound": found.generators[0].defect.high,
    }


def shares(system: System, candidates: GeneratorPairs, count: int, noise: float, runs: int, degree: int) -> Row:
    """Shares, or means, of runs."""
    rows = [one(system, candidates, count, noise, seed, degree) for seed in range(runs)]
    return {key: sum(row[key] for row in rows) / runs for key in rows[0]}


def rate_cases(runs: int) -> Iterator[tuple[str, str, int, float, int]]:
    """Each system, number of examples and noise; and classes that are too small."""
    for name in (*SYSTEMS, *FURTHER):
        kind = "setting" if name in SYSTEMS else "further"
        yield from ((kind, name, count, noise, runs) for count in COUNTS for noise in NOISES)
    yield from (("too small", name, 1600, 0.1, runs) for name in ("van der Pol", "Duffing", "Selkov"))


def rate(kind: str, name: str, count: int, noise: float, runs: int) -> list[Row]:
    """Shares of one setting."""
    system = {**SYSTEMS, **FURTHER}[name]
    degree = 2 if kind == "too small" else system.degree
    row = shares(system, GeneratorPairs.tied(system.n), count, noise, runs, degree)
    if kind == "too small":
        return [{"kind": kind, "system": name, "degree": degree, **row}]
    return [{"kind": kind, "system": name, "symmetries": system.symmetries, "N": count, "noise": noise, **row}]


def affine_cases(runs: int) -> Iterator[tuple[str, str, int, float, int]]:
    """Planar systems, moved away from the origin: linear candidates, and affine ones."""
    for name in ("rotation", "Hopf", "van der Pol", "Duffing"):
        for candidates in ("linear", "affine"):
            yield from ((candidates, name, count, noise, runs) for count in (200, 800) for noise in (0.01, 0.1))


def affine(candidates: str, name: str, count: int, noise: float, runs: int) -> list[Row]:
    """Shares of one displaced system."""
    system, linear = displaced(SYSTEMS[name]), GeneratorPairs.tied(2)
    pairs = linear.with_shifts() if candidates == "affine" else linear
    row = shares(system, pairs, count, noise, runs, system.degree)
    return [{"candidates": candidates, "system": name, "N": count, "noise": noise, **row}]


def network(task: Task, seed: int, steps: int) -> tuple[nn.Module, float]:
    """A plain network of the task, and its error on new examples, of variance or of labels."""
    torch.manual_seed(seed)
    x, y = task.data(task.examples, torch.Generator().manual_seed(seed))
    width, outputs, activation = task.width, task.classes or y.shape[1], task.activation
    hidden = [nn.Linear(x.shape[1], width), activation(), nn.Linear(width, width), activation()]
    net = nn.Sequential(*hidden, nn.Linear(width, outputs))
    batches = [(x[i : i + task.batch], y[i : i + task.batch]) for i in range(0, task.examples, task.batch)]
    loss = nn.functional.cross_entropy if task.classes else mse
    optimiser = ls.training.OptimiserConfig(lr=task.rate)
    ls.training.fit(net, Supervised(loss), batches, steps=round(task.longer * steps), optimiser=optimiser, seed=seed)
    new_x, new_y = task.data(4000, torch.Generator().manual_seed(1000 + seed))
    with torch.no_grad():
        out = net.eval()(new_x)
    if task.classes:
        return net, float((out.argmax(1) != new_y).double().mean())
    return net, float((out - new_y).square().mean() / new_y.var(0).mean())


def angle(found: Certificates, truth: GeneratorPairs) -> float:
    """Largest principal angle, in degrees, between the true algebra and as many of the most symmetric directions."""
    first = found.generators[: len(truth.input)]
    own = torch.stack([torch.cat([each.input.flatten(), each.output.flatten()]) for each in first])
    true = torch.cat([truth.input.flatten(1), truth.output.flatten(1)], 1)
    return math.degrees(float(subspace_angles(own.T.numpy(), true.T.numpy()).max()))


def discovered(name: str, found: Certificates, truth: GeneratorPairs, **rest: object) -> Row:
    """One row of a discovery."""
    return {
        "task": name,
        **rest,
        "angle": angle(found, truth),
        "dimension": found.dimension,
        "true dimension": len(truth.input),
        "closure": found.closure_defect,
        "defects": [each.defect.estimate for each in found.generators],
        "high": [each.defect.high for each in found.generators],
        "verdicts": [each.verdict for each in found.generators],
    }


def logit(outputs: Tensor) -> Tensor:
    """The difference of two scores."""
    return outputs[:, 1:] - outputs[:, :1]


def task_cases(seeds: int, steps: int) -> Iterator[tuple[str, str, int, int]]:
    """Networks of each task, and the polynomial of one, which has no steps."""
    yield from (("network", name, seed, steps) for seed in range(seeds) for name in TASKS)
    yield from (("polynomial", "inertia", seed, 0) for seed in range(seeds))


def task(by: str, name: str, seed: int, steps: int) -> list[Row]:
    """Generators of a trained network on examples that it has not seen, or of the polynomial."""
    start = time.process_time()
    found, truth, rest = _by_network(TASKS[name], seed, steps) if by == "network" else _by_polynomial(seed)
    seconds = time.process_time() - start
    return [discovered(f"{name}, {by}", found, truth, seed=seed, **rest, seconds=seconds)]


def _by_network(task: Task, seed: int, steps: int) -> tuple[Certificates, GeneratorPairs, Row]:
    net, error = network(task, seed, steps)
    x, _ = task.data(4000, torch.Generator().manual_seed(2000 + seed))
    output = logit if task.classes else None
    found = certify_model(net, x, task.pairs, delta=0.1, seed=seed, output=output)
    return found, task.truth, {"error": error}


def _by_polynomial(seed: int) -> tuple[Certificates, GeneratorPairs, Row]:
    generator = torch.Generator().manual_seed(seed)
    x, y = INERTIA.data(2000, generator)
    y = y + 0.1 * torch.randn(y.shape, generator=generator)
    return certify_generators(x, y, INERTIA.pairs, 2, TOLERANCE), INERTIA.truth, {}
