"""Turned digits: are learned matrices turns, from patches without labels or from the training of a network?

MNIST at 14 × 14 pixels. Patches: every one is near a member `R_h w_o` of one of several orbits that share the matrices,
which is the toy task of `orbits` with more than one pattern. Networks: three convolutions, reduced from the second
paper.
"""

from __future__ import annotations

import time
from functools import cache
from itertools import permutations
from typing import Any

import torch
from jaxtyping import Float
from orbits import softly_nearest
from torch import Tensor, nn

import learnsym as ls
from learnsym.data import DataConfig, PlantConfig, Splits, load_splits
from learnsym.equivariant import FieldBatchNorm, FieldType, GroupConv2d
from learnsym.groups import Cyclic
from learnsym.objectives import Regularised, Supervised
from learnsym.objectives.terms import Moves
from learnsym.relax.sharing import LearnedGroupConv2d, LearnedMoves, convex_coefficients, group_moves, kinds
from learnsym.statistics import over_seeds

IMAGES, TURNS, SIZE, FIELDS = 2000, 4, 5, 8
"""Digits of each split, matrices, pixels of the first kernel, and fields of each layer."""
LAWS: dict[str, dict[str, Any]] = {
    "quarter turns": {"law": "atoms", "angles": [0.0, 90.0, 180.0, 270.0]},
    "0 to 90 degrees": {"law": "two_modes", "angles": [45.0], "rotation": 45.0},
    "nothing": {},
}
PATCHES, ORBITS, STRONGEST = 4000, 16, 0.4
"""Patches, patterns, and the share of patches with the most contrast, of which they are drawn."""
TEMPERATURES, PATCH_STEPS = (1.0, 0.3, 0.1, 0.03), 200
PATCH_OPTIMISER = ls.training.OptimiserConfig(lr=0.02, symmetry_lr=0.1, weight_decay=0.0, schedule="constant")
BATCH, STEPS = 64, 310
OPTIMISER = ls.training.OptimiserConfig(lr=0.01, symmetry_lr=0.01)
ARMS = {
    "quarter turns": ("group", "plain", "all learned", "first learned", "first from patches"),
    "0 to 90 degrees": ("group", "plain", "first from patches"),
    "nothing": ("group", "plain", "all learned", "first from patches"),
}
GROUP = Cyclic(TURNS)
PICTURE, REGULAR = FieldType.trivial(GROUP, 1), FieldType.regular(GROUP, FIELDS)
Row = dict[str, Any]


@cache
def digits(law: str, seed: int) -> Splits:
    """Turned digits, of which the validation set is not used."""
    plant = PlantConfig(**LAWS[law])
    return load_splits(DataConfig(name="mnist", size=14, train=IMAGES, val=1, test=IMAGES, seed=seed, plant=plant))


class Orbits(nn.Module):
    """Squared distances of patches to the members `R_h w_o` of learned orbits."""

    def __init__(self, start: Float[Tensor, "O n"], kind: str) -> None:
        super().__init__()
        self.moves, self.w = LearnedMoves(TURNS, start.shape[1], kind), nn.Parameter(start.clone())

    def forward(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B OH"]:
        members = torch.einsum("hnm,om->ohn", self.moves.matrices(), self.w)
        return torch.cdist(x, members.flatten(0, 1)).square()


def patches(law: str, seed: int) -> Float[Tensor, "N n"]:
    """Patches of training digits with much contrast, without their mean and of norm 1."""
    found = nn.functional.unfold(digits(law, seed).train.x, SIZE).mT.flatten(0, 1)
    found = found - found.mean(1, keepdim=True)
    strongest = found.norm(dim=1).argsort(descending=True)[: round(STRONGEST * len(found))]
    drawn = torch.randperm(len(strongest), generator=torch.Generator().manual_seed(seed))[:PATCHES]
    return nn.functional.normalize(found[strongest[drawn]], dim=1)


@cache
def moves_of_patches(law: str, seed: int, kind: str = "doubly_stochastic") -> tuple[LearnedMoves, float]:
    """Matrices of orbits of patches, and the mean squared distance of a patch to the nearest member."""
    x = patches(law, seed)
    torch.manual_seed(seed)
    model, data = Orbits(x[:ORBITS], kind), ls.data.Dataset(x, torch.zeros(len(x)))
    for temperature in TEMPERATURES:
        objective = Regularised(softly_nearest(temperature), [Moves(1e-3)])
        batches = ls.data.Batches(data, 256, seed)
        ls.training.fit(model, objective, batches, steps=PATCH_STEPS, optimiser=PATCH_OPTIMISER, seed=seed)
    with torch.no_grad():
        return model.moves, float(model(x).amin(1).mean())


def read(moves: LearnedMoves) -> Row:
    """Whether the matrices are the three turns; see `orbits`."""
    coefficients, left = convex_coefficients(moves.matrices()[1:], group_moves(PICTURE, SIZE))
    dominant, found = coefficients.amax(1), coefficients.argmax(1).tolist()
    distinct = sorted(found) == [1, 2, 3]
    return {
        "coefficients": coefficients.tolist(),
        "dominant": dominant.tolist(),
        "left over": left.tolist(),
        "distinct": distinct,
        "found": distinct and float(dominant.min()) >= 0.6,
    }


class Net(nn.Module):
    """Three convolutions, batch norm of fields, means over places and elements, and a linear map."""

    def __init__(self, first: Any, others: Any) -> None:
        super().__init__()
        self.first = first(PICTURE, REGULAR, SIZE, padding=2)
        self.second, self.third = others(REGULAR, REGULAR, 3, padding=1), others(REGULAR, REGULAR, 3)
        self.norms = nn.ModuleList(FieldBatchNorm(REGULAR) for _ in range(3))
        self.head = nn.Linear(FIELDS, 10)

    def forward(self, x: Float[Tensor, "B 1 14 14"]) -> Float[Tensor, "B 10"]:
        first, second, third = self.norms
        x = nn.functional.max_pool2d(first(self.first(x)).relu(), 2)
        x = third(self.third(second(self.second(x)).relu())).relu()
        return self.head(x.mean((2, 3)).unflatten(1, (FIELDS, TURNS)).mean(2))


def plain(in_type: FieldType, out_type: FieldType, size: int, padding: int = 0) -> nn.Conv2d:
    """An ordinary convolution with as many channels, and four times the weights."""
    return nn.Conv2d(in_type.size, out_type.size, size, padding=padding)


def network(arm: str, law: str, seed: int) -> Net:
    """A network before its training. Layers above a learned first one are told the group, except in `all learned`."""
    first = {"group": GroupConv2d, "plain": plain}.get(arm, LearnedGroupConv2d)
    others = {"plain": plain, "all learned": LearnedGroupConv2d}.get(arm, GroupConv2d)
    torch.manual_seed(seed)
    net = Net(first, others)
    if arm == "first from patches":
        found, _ = moves_of_patches(law, seed)
        with torch.no_grad():
            net.first.moves.theta.copy_(found.theta[in_order(found)])
    return net


def in_order(moves: LearnedMoves) -> list[int]:
    """Which matrix takes the place of which turn, by the largest sum of parts: layers above need that order."""
    parts = read(moves)["coefficients"]

    def agreement(order: tuple[int, ...]) -> float:
        return sum(parts[h][g + 1] for g, h in enumerate(order))

    return list(max(permutations(range(TURNS - 1)), key=agreement))


def trained(law: str, arm: str, seed: int) -> Row:
    """One network: accuracy on test digits that are turned alike, and what its first layer learned."""
    begun, splits = time.process_time(), digits(law, seed)
    net = network(arm, law, seed)
    task = Supervised(nn.functional.cross_entropy)
    objective = Regularised(task, [Moves()]) if isinstance(net.first, LearnedGroupConv2d) else task
    batches = ls.data.Batches(splits.train, BATCH, seed)
    ls.training.fit(net, objective, batches, steps=STEPS, optimiser=OPTIMISER, seed=seed)
    learned = read(net.first.moves) if isinstance(net.first, LearnedGroupConv2d) else {}
    with torch.no_grad():
        right = net.eval()(splits.test.x).argmax(1) == splits.test.y
    accuracy, seconds = float(right.double().mean()), time.process_time() - begun
    return {"of": "network", "law": law, "arm": arm, "seed": seed, "accuracy": accuracy, "seconds": seconds, **learned}


def of_patches(law: str, kind: str, seed: int) -> Row:
    """Matrices of one kind from patches."""
    begun = time.process_time()
    moves, error = moves_of_patches(law, seed, kind)
    row = {"of": "patches", "law": law, "arm": kind, "seed": seed, "error": error}
    return {**row, "seconds": time.process_time() - begun, **read(moves)}


def rows(*laws: str) -> list[Row]:
    """Patches of each law, other kinds of matrices for quarter turns, and networks."""
    found = []
    for law in laws:
        for kind in kinds if law == "quarter turns" else ("doubly_stochastic",):
            found += [of_patches(law, kind, seed) for seed in range(3)]
            print(table(found[-3:]), flush=True)
        for arm in ARMS[law]:
            found += [trained(law, arm, seed) for seed in range(3)]
            print(table(found[-3:]), flush=True)
    return found


def table(found: list[Row]) -> str:
    """Accuracies of networks, errors of patches, and whether matrices are the three turns."""
    names = ("accuracy", "less plain", "smallest part", "found", "left over", "seconds")
    header = ("digits turned by", "of", "arm", *names)
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    plain = {(row["law"], row["seed"]): row["accuracy"] for row in found if row["arm"] == "plain"}
    for law, of, arm in dict.fromkeys((row["law"], row["of"], row["arm"]) for row in found):
        own = [row for row in found if (row["law"], row["of"], row["arm"]) == (law, of, arm)]
        seconds = sum(row["seconds"] for row in own) / len(own)
        cells = [law, of, arm, *_accuracies(own, plain), *_parts(own), f"{seconds:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _accuracies(own: list[Row], plain: dict[tuple[str, int], float]) -> list[str]:
    """Accuracy of networks, and by how much it is above that of plain ones of the same seeds."""
    if own[0]["of"] == "patches":
        return ["", ""]
    pairs = [(row["accuracy"], plain.get((row["law"], row["seed"]))) for row in own if row["arm"] != "plain"]
    above = [100 * (accuracy - other) for accuracy, other in pairs if other is not None]
    return [_shown([100 * row["accuracy"] for row in own]), _shown(above) if above else ""]


def _parts(own: list[Row]) -> list[str]:
    """What was learned of matrices, where there are any."""
    if "found" not in own[0]:
        return ["", "", ""]
    smallest = ", ".join(f"{min(row['dominant']):.2f}" for row in own)
    left = sum(sum(row["left over"]) / len(row["left over"]) for row in own) / len(own)
    return [smallest, f"{sum(row['found'] for row in own)} of {len(own)}", f"{left:.2f}"]


def _shown(values: list[float]) -> str:
    interval = over_seeds(values)
    return "{:.1f} [{:.1f}, {:.1f}]".format(interval.estimate, *interval.ends)
