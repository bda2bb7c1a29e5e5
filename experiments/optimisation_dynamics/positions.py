"""Shifts of signals and permutations of the nodes of graphs: the other two groups of the first version of the paper."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from networks import of, tensor, trained
from torch import Tensor, nn

import learnsym as ls
from learnsym.actions import Action, Invariant
from learnsym.groups import Cyclic, Group, Permutation, YoungSubgroup
from learnsym.objectives import FullOrbit, MovedExamples, Supervised
from learnsym.relax import AdmissibleSpace, MapEntries, Spanned
from learnsym.representations import Quotient, Regular, Representation, tensor_product

LENGTH, NODES, CHANNELS = 14, 5, 4
EXAMPLES, BATCH, EXACT, EPOCHS, RATE = 1000, 50, 20, 10, 1.0
TRAININGS = ("full orbit", "random element", "plain")


@dataclass(frozen=True)
class PairsOf(Representation):
    """A group on pairs of what it permutes: `ρ(g) ⊗ ρ(g)`."""

    of: Representation

    @property
    def group(self) -> Group:
        return self.of.group

    @property
    def size(self) -> int:
        return self.of.size**2

    @property
    def is_permutation(self) -> bool:
        return self.of.is_permutation

    def __call__(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B d d"]:
        return tensor_product(self.of(g), self.of(g))


@dataclass(frozen=True)
class Shifts(Action):
    """Signals `(B, N)` shifted round by the elements of `C_N`, in the order of `Regular`."""

    length: int

    def __call__(self, g: Float[Tensor, "B n n"], x: Float[Tensor, "B N"]) -> Float[Tensor, "B N"]:
        return torch.einsum("bij,bj->bi", Regular(Cyclic(self.length))(g), x)

    def check(self, group: Group) -> None:
        if group.name != f"C_{self.length}":
            raise ValueError(f"group: got {group}, must be C_{self.length}, whose elements shift {self.length} numbers")

    def check_data(self, group: Group, x: Tensor) -> None:
        if x.shape[1:] != (self.length,):
            raise ValueError(f"x: got shape {tuple(x.shape)}, must be (B, {self.length}); give one number a position")


@dataclass(frozen=True)
class System:
    """A group on positions, data that are not closed under it, and weights that are cut off against it."""

    action: Action
    """Of the group on the data."""
    representation: Representation
    """Of the group on positions, of which the data, flattened, have one number each."""
    data: Callable[[int], ls.data.Dataset]
    cut: Tensor
    """Of the maps between positions, the entries `(d, d)` that the incompatible networks have."""

    @property
    def symmetry(self) -> ls.Symmetry:
        return ls.Symmetry(self.representation.group, self.action, Invariant())

    def network(self) -> nn.Sequential:
        """Two linear maps with tanh between copies of the positions, means over positions, a linear map."""
        d = self.representation.size
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(d, CHANNELS * d),
            nn.Tanh(),
            nn.Linear(CHANNELS * d, CHANNELS * d),
            nn.Tanh(),
            nn.Unflatten(1, (CHANNELS, d)),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(CHANNELS, 2),
        )

    def spaces(self, case: str) -> dict[str, AdmissibleSpace]:
        """Of both maps: all weights, or those that are not cut off; biases are free."""
        rep, group = self.representation, self.representation.group
        weight, bias = MapEntries(rep, rep), MapEntries(Quotient(group, group), rep)
        maps = AdmissibleSpace(weight, group)
        if case == "cut":
            maps = AdmissibleSpace.supported(weight, group, self.cut)
        offsets = AdmissibleSpace(bias, group)
        return {f"{layer}.weight": maps for layer in (1, 3)} | {f"{layer}.bias": offsets for layer in (1, 3)}

    def objectives(self) -> dict[str, Any]:
        loss = F.cross_entropy
        return {
            "plain": Supervised(loss),
            "full orbit": FullOrbit(loss, self.symmetry),
            "random element": MovedExamples(loss, self.symmetry),
        }


def signals(seed: int) -> ls.data.Dataset:
    """A plateau or a wave of four numbers, in noise, that begins at one of the first five positions."""
    random = torch.Generator().manual_seed(seed)
    patterns = torch.tensor([[1.5, 1.5, 1.5, 1.5], [1.5, -1.5, 1.5, -1.5]])
    y, start = (torch.randint(count, (EXAMPLES,), generator=random) for count in (2, 5))
    x = 0.3 * torch.randn(EXAMPLES, LENGTH, generator=random)
    return ls.data.Dataset(x.scatter_add(1, start[:, None] + torch.arange(4), patterns[y]), y)


def graphs(seed: int) -> ls.data.Dataset:
    """Graphs of two blocks, nodes 0 to 2 and nodes 3 and 4, as adjacency matrices: are they connected?"""
    random = torch.Generator().manual_seed(seed)
    block = torch.arange(NODES) > 2
    likely = torch.where(block[:, None] == block, 0.75, 0.15)
    upper = (torch.rand(EXAMPLES, NODES, NODES, generator=random) < likely).float().triu(1)
    a = upper + upper.mT
    # (1 + A)^(N - 1) has a 0 exactly where no path leads
    reached = torch.linalg.matrix_power(torch.eye(NODES) + a, NODES - 1)
    return ls.data.Dataset(a, (reached > 0).all(-1).all(-1).long())


def without_wrap() -> Tensor:
    """Weights over at most two positions that do not go round the ends, as of a convolution that pads zeros."""
    place = torch.arange(LENGTH)
    return (place[:, None] - place).abs() <= 2


def without_half() -> Tensor:
    """Of the weights between pairs of nodes that share none, `(k, l) -> (i, j)`, those with `i < k`; all others."""
    support = torch.ones((NODES,) * 4)
    for i, j, k, l in itertools.permutations(range(NODES), 4):  # noqa: E741
        support[i, j, k, l] = i < k
    return support.view(NODES**2, NODES**2)


def systems() -> dict[str, System]:
    nodes = Permutation(NODES)
    node = Quotient(nodes, YoungSubgroup(NODES, [range(1, NODES)]))
    return {
        "shifts": System(Shifts(LENGTH), Regular(Cyclic(LENGTH)), signals, without_wrap()),
        "permutations": System(ls.actions.Pairs(), PairsOf(node), graphs, without_half()),
    }


def rows(seeds: int) -> list[dict[str, Any]]:
    """Distances to equivariance and from the start; all trainings of a case and seed share data, batches and start."""
    found = []
    for name, system in systems().items():
        for case in ("all", "cut"):
            commutator = ls.measure.compatibility(system.spaces(case)["1.weight"]).commutator
            for seed in range(seeds):
                data, test = system.data(seed), system.data(1000 + seed)
                source = equivariant(system, case, data, seed)
                for training in TRAININGS:
                    row = {"group": name, "weights": case, "commutator": commutator, "seed": seed, "training": training}
                    found.append(row | _row(system, case, training, source, data, test, seed))
    return found


def equivariant(system: System, case: str, data: ls.data.Dataset, seed: int) -> nn.Module:
    """A plain network on `E`, trained there in orthonormal coordinates."""
    torch.manual_seed(seed)
    exact = Spanned(system.network(), system.spaces(case)).exact()
    trained(exact, system.objectives()["plain"], data, EXACT, RATE, seed)
    return exact.plain()


def _row(
    system: System,
    case: str,
    training: str,
    source: nn.Module,
    data: ls.data.Dataset,
    test: ls.data.Dataset,
    seed: int,
) -> dict[str, Any]:
    net = Spanned(copy.deepcopy(source), system.spaces(case))
    start = weights_of(net)
    distances = trained(net, system.objectives()[training], data, EPOCHS, RATE / 2, seed)
    path = float((weights_of(net) - start).norm())
    return {
        "end": distances[-1],
        "path": path,
        "share": distances[-1] / path,
        "accuracy before": accuracy(system, source, test),
        "accuracy": accuracy(system, net, test),
    }


@torch.no_grad()
def weights_of(net: Spanned) -> Tensor:
    """All spanned weights in a row."""
    return torch.cat([weight.flatten() for weight in net.weights().values()])


@torch.no_grad()
def accuracy(system: System, model: nn.Module, data: ls.data.Dataset) -> float:
    """Of examples each moved by an element of its own."""
    symmetry, model = system.symmetry, model.eval()
    g = symmetry.group.haar(len(data.y), generator=torch.Generator().manual_seed(0))
    return float((model(symmetry.on_input(g, data.x)).argmax(1) == data.y).double().mean())


def table(rows: list[dict[str, Any]]) -> str:
    head = ["group", "weights", "commutator", "training", "median distance [all]", "share of the path"]
    lines = [f"| {' | '.join([*head, 'accuracy before, after'])} |", "|---|---|---|---|---|---|---|"]
    for group, case, training in itertools.product(systems(), ("all", "cut"), TRAININGS):
        some = of(rows, group=group, weights=case, training=training)
        ends, shares = (tensor([row[key] for row in some]) for key in ("end", "share"))
        pair = (ls.statistics.over_seeds([row[key] for row in some]) for key in ("accuracy before", "accuracy"))
        shown = ", ".join(str(interval).removesuffix(" at 90%") for interval in pair)
        spread = f"{ends.median():.2e} [{ends.min():.2e}, {ends.max():.2e}]"
        commutator = some[0]["commutator"]
        lines.append(
            f"| {group} | {case} | {commutator:.3f} | {training} | {spread} | {shares.median():.2g} | {shown} |"
        )
    return "\n".join(lines)
