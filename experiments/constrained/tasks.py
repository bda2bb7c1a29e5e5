"""Tasks with a dial: examples of a law that keeps a symmetry at `breaking = 0` and leaves it by a known amount."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.data import Dataset
from learnsym.data.dynamics import ChargedSystem, NoField, NormClamp, UniformField
from learnsym.equivariant import EquivariantLinear, FeatureField, FieldType
from learnsym.groups import SO3, Cyclic

IN, HIDDEN, OUT = (FieldType.regular(Cyclic(4), fields) for fields in (2, 6, 1))
NOISE = 0.1
VAL, TEST = 500, 1000


@dataclass(frozen=True)
class Task:
    """Examples of one law, and the symmetry that it keeps where the dial is at 0."""

    train: Dataset
    val: Dataset
    test: Dataset
    symmetry: ls.Symmetry


def rings(breaking: float, seed: int, train: int = 400) -> Task:
    """Numbers on two rings of four places to numbers on one: a map that commutes with turns, plus a map that does not.

    Each is of variance 1 before the dial, with noise of standard deviation 0.1. The two maps are drawn anew for each
    seed.
    """
    return _rings(breaking, seed, train)


def last_map(breaking: float, seed: int, train: int = 400) -> Task:
    """As `rings`, but the map that does not commute with turns is another last one behind the same first one."""
    return _rings(breaking, seed, train, kept=0)


def first_map(breaking: float, seed: int, train: int = 400) -> Task:
    """As `rings`, but the map that does not commute with turns is another first one before the same last one."""
    return _rings(breaking, seed, train, kept=1)


def _rings(breaking: float, seed: int, train: int, kept: int | None = None) -> Task:
    draw = torch.Generator().manual_seed(1000 + seed)
    maps = [_matrix(IN, HIDDEN, draw), _matrix(HIDDEN, OUT, draw)]
    others = [torch.randn(HIDDEN.size, IN.size, generator=draw), torch.randn(OUT.size, HIDDEN.size, generator=draw)]
    if kept is not None:
        others[kept] = maps[kept]
    x = torch.randn(train + VAL + TEST, IN.size, generator=draw)
    y = _through(maps, x) + breaking * _through(others, x)
    y = y + NOISE * torch.randn(y.shape, generator=draw)
    parts = [Dataset(x[part], y[part], "rings") for part in _parts(train)]
    return Task(*parts, ls.Symmetry(Cyclic(4), FeatureField(IN), FeatureField(OUT)))


def _matrix(source: FieldType, target: FieldType, draw: torch.Generator) -> Tensor:
    """An equivariant matrix: the projection of a random one."""
    layer = EquivariantLinear(source, target, bias=False)
    return ls.equivariant.nearest_kernel(layer, torch.randn(target.size, source.size, generator=draw))


def _through(maps: list[Tensor], x: Tensor) -> Tensor:
    y = torch.tanh(x @ maps[0].T / maps[0].square().sum(1).sqrt()) @ maps[1].T
    return (y - y.mean()) / y.std()


def charges(breaking: float, seed: int, train: int = 300) -> Task:
    """Five charges from time 0, where nothing points anywhere, to time 1, in a uniform field of strength `breaking`."""
    system = ChargedSystem(clamp=NormClamp(), field=UniformField((0.0, 0.0, breaking)) if breaking else NoField())
    x = system.initial(train + VAL + TEST, 1000 + seed)
    y = system.future(x).float()
    x, centre = x.float(), x[..., :3].mean(1, keepdim=True).float()
    x, y = torch.cat([x[..., :3] - centre, x[..., 3:]], -1), y - centre
    inputs, outputs = system.cloud, ls.actions.PointCloud()
    data = Dataset(x, y, "charges", on_input=inputs, on_output=outputs)
    parts = [replace(data, x=x[part], y=y[part]) for part in _parts(train)]
    return Task(*parts, ls.Symmetry(SO3(), inputs, outputs))


def _parts(train: int) -> list[slice]:
    """Training examples come last, so that those of validation and test do not depend on their number."""
    return [slice(VAL + TEST, VAL + TEST + train), slice(VAL), slice(VAL, VAL + TEST)]


TASKS: dict[str, Callable[[float, int], Task]] = {
    "rings": rings,
    "last map": last_map,
    "first map": first_map,
    "charges": charges,
}


def exact_net(task: str) -> nn.Module:
    """The strictly equivariant network of a task."""
    if task == "charges":
        inputs = ls.actions.PointCloud(vectors=1, scalars=1)
        return ls.nets.points.EGNN(inputs, ls.actions.PointCloud(), hidden=16, layers=2)
    pairs = ((IN, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, OUT))
    first, second, third = (EquivariantLinear(source, target, bias=False) for source, target in pairs)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)


def plain_net(task: str) -> nn.Module:
    """A network of about the same size that is bound to no turn."""
    if task == "charges":
        inputs = ls.actions.PointCloud(vectors=1, scalars=1)
        return ls.nets.points.GNN(inputs, ls.actions.PointCloud(), hidden=16, layers=2)
    sizes = (IN.size, HIDDEN.size, HIDDEN.size, OUT.size)
    layers = [nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(sizes)]
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])


def relaxed_net(task: str, start: float = 1.0) -> nn.Module:
    """The exact network, with the same weights for the same seed, and a free branch beside each of its layers."""
    net = exact_net(task)
    if task == "charges":
        return ls.nets.points.with_free_paths(net, start=start)
    layers = [layer if isinstance(layer, nn.ReLU) else ls.relax.ScaledPathway(layer, start=start) for layer in net]
    return nn.Sequential(*layers)


def one_relaxed_net(task: str, number: int) -> nn.Module:
    """The exact network of rings with a free branch beside its first, second or third linear layer alone."""
    net = exact_net(task)
    place = 2 * (number - 1)
    net[place] = ls.relax.ScaledPathway(net[place], start=1.0)
    return net


def projected_net(task: str) -> nn.Module:
    """Ordinary layers that know their projection."""
    assert task == "rings"
    layers = [layer if isinstance(layer, nn.ReLU) else ls.relax.ProjectedLayer(layer) for layer in exact_net(task)]
    return nn.Sequential(*layers)
